"""Rooms for a stay: which are free on all its nights, and locking them before they are given away.

Every function runs in the caller's transaction; dates are hotel-local, a stay is half-open.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.rows import class_row

from sql.pms.stays import FREE
from sql.queries import fill, load

_QUERIES = {name: fill(query, free=FREE) for name, query in load("pms/rooms.sql").items()}


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights of a stay in one hotel, [check_in, check_out)."""

    hotel_id: int
    check_in: date
    check_out: date

    def __len__(self) -> int:
        """How many nights."""
        return (self.check_out - self.check_in).days


@dataclass(frozen=True, slots=True)
class Room:
    """A room that can be sold. capacity: people; priority: lower is given away first, None last."""

    id: int
    room_type_id: int
    capacity: int
    priority: int | None


async def capacities(conn: AsyncConnection, hotel_id: int, room_types: Collection[int]) -> dict[int, int]:
    """Those of the room types that the hotel has → the most people that a room of theirs takes, 0 without rooms."""
    rows = await conn.execute(_QUERIES["room_types"], {"hotel": hotel_id, "room_types": list(room_types)})
    return {room_type: people or 0 async for room_type, people in rows}


async def lock_best(
    conn: AsyncConnection, nights: Nights, room_type_id: int, people: int, taken: Collection[int]
) -> Room | None:
    """Lock the best free room that nobody else has locked; never waits."""
    wanted = {"room_type": room_type_id, "people": people, "taken": list(taken)}
    found = await _ask(conn, "lock_best", nights, wanted)
    return found[0] if found else None


async def lock_all(conn: AsyncConnection, nights: Nights, room_types: Collection[int]) -> list[int]:
    """Lock every free room of these types; returns their ids.

    It waits for 300 ms in all, however many others hold them: staff may be waiting for those that it has locked.

    Raises:
        psycopg.errors.LockNotAvailable: somebody holds one for longer than we wait.
    """
    values = _values(nights) | {"room_types": list(room_types)}
    before = await (await conn.execute(_QUERIES["hurry"])).fetchone()
    assert before is not None  # a select of expressions gives one row
    try:
        locked = [room_id async for (room_id,) in await conn.execute(_QUERIES["lock_all"], values)]
    except QueryCanceled as error:
        raise LockNotAvailable("rooms are locked by others") from error
    await conn.execute(_QUERIES["at_ease"], {"before": before[0]})
    return locked


async def lock(conn: AsyncConnection, hotel_id: int, rooms: Collection[int]) -> dict[int, int]:
    """Lock these rooms, free or not; returns them with the people that each takes.

    Raises:
        psycopg.errors.LockNotAvailable: somebody holds one for longer than we wait.
    """
    rows = await conn.execute(_QUERIES["lock"], {"hotel": hotel_id, "rooms": list(rooms)})
    return {room_id: capacity or 0 async for room_id, capacity in rows}


async def free(conn: AsyncConnection, nights: Nights, rooms: Collection[int]) -> list[Room]:
    """Those of the rooms that are free as of now. Decides only over rooms that are locked."""
    return await _ask(conn, "free", nights, {"rooms": list(rooms)})


async def _ask(conn: AsyncConnection, query: str, nights: Nights, extra: dict[str, Any]) -> list[Room]:
    async with conn.cursor(row_factory=_room) as cursor:
        await cursor.execute(_QUERIES[query], _values(nights) | extra)
        return await cursor.fetchall()


def _values(nights: Nights) -> dict[str, Any]:
    return {"hotel": nights.hotel_id, "check_in": nights.check_in, "check_out": nights.check_out}


_room = class_row(Room)
