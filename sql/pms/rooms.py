"""Rooms for a stay: which are free on all its nights, and locking them before they are given away.

Locks keep our own bookings apart; the front desk meets one only at the end, in `secure`.

Every function runs in the caller's transaction; dates are hotel-local, a stay is half-open.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from sql.later import Later
from sql.literals import array
from sql.pms.brevity import more
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


class Taken(NamedTuple):
    """What a reservation of ours has just been given. nights: (room id, date)."""

    hotel_id: int
    reservation_id: UUID
    nights: Sequence[tuple[int, date]]


async def capacities(conn: AsyncConnection, hotel_id: int, room_types: Collection[int]) -> dict[int, int]:
    """Those of the room types that the hotel has → the most people that a room of theirs takes, 0 without rooms."""
    rows = await conn.execute(_QUERIES["room_types"], {"hotel": hotel_id, "room_types": array(room_types)})
    return {room_type: people or 0 async for room_type, people in rows}


async def lock_best(
    conn: AsyncConnection, nights: Nights, room_type_id: int, people: int, taken: Collection[int]
) -> Room | None:
    """As `ask_best`, and wait for the answer."""
    return await (await ask_best(conn, nights, room_type_id, people, taken)).get()


async def ask_best(
    conn: AsyncConnection, nights: Nights, room_type_id: int, people: int, taken: Collection[int] = ()
) -> Later[Room | None]:
    """Lock the best free room that no other booking has locked; never waits. taken: rooms that are left out."""
    wanted = {"room_type": room_type_id, "people": people, "taken": array(taken)}
    cursor = await conn.execute(_QUERIES["lock_best"], _values(nights) | wanted)
    return Later(cursor, lambda row: Room(*row) if row else None)


async def lock_all(conn: AsyncConnection, nights: Nights, room_types: Collection[int]) -> list[int]:
    """Lock every free room of these types; returns their ids.

    Raises:
        psycopg.errors.LockNotAvailable: another booking holds one for longer than we wait.
    """
    values = _values(nights) | {"room_types": array(room_types)}
    return [room_id async for (room_id,) in await conn.execute(_QUERIES["lock_all"], values)]


async def at_hand(conn: AsyncConnection, hotel_id: int, rooms: Collection[int]) -> set[int]:
    """Those of the rooms that neither another booking nor the front desk is at; never waits.

    They are locked against both from here on: to be undone at once.
    """
    rows = await conn.execute(_QUERIES["at_hand"], {"hotel": hotel_id, "rooms": array(rooms)})
    return {room_id async for (room_id,) in rows}


async def lock(conn: AsyncConnection, hotel_id: int, rooms: Collection[int]) -> dict[int, int]:
    """Lock these rooms, free or not; returns them with the people that each takes.

    Raises:
        psycopg.errors.LockNotAvailable: another booking holds one for longer than we wait.
    """
    rows = await conn.execute(_QUERIES["lock"], {"hotel": hotel_id, "rooms": array(rooms)})
    return {room_id: capacity or 0 async for room_id, capacity in rows}


async def secure(conn: AsyncConnection, taken: Taken) -> None:
    """Fail unless the reservation alone has the nights that it has taken, and nobody is being given one.

    To be said in a pipeline, last before the commit and together with it: until here nobody at the front desk has
    waited for us, and whoever does now waits for the server alone.

    Raises:
        psycopg.errors.DivisionByZero: another stay has one, or a room cannot be sold any more; as late as at the
            end of the pipeline.
        psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled: the front desk is at one for longer than we
            wait; as late.
    """
    values = {
        "hotel": taken.hotel_id, "reservation": taken.reservation_id,
        "rooms": array(room for room, _ in taken.nights), "dates": array(str(day) for _, day in taken.nights),
    }  # fmt: skip
    if more(len(taken.nights)):
        await conn.execute(_QUERIES["shortly"])
    await conn.execute(_QUERIES["keep_out"], values)
    await conn.execute(_QUERIES["alone"], values)


async def free(conn: AsyncConnection, nights: Nights, rooms: Collection[int]) -> list[Room]:
    """Those of the rooms that are free as of now; for our own bookings that decides where the rooms are locked."""
    return await _ask(conn, "free", nights, {"rooms": array(rooms)})


async def every(conn: AsyncConnection, nights: Nights, room_types: Collection[int]) -> list[Room]:
    """Every room of these types that is free as of now; none is locked."""
    return await _ask(conn, "every", nights, {"room_types": array(room_types)})


async def _ask(conn: AsyncConnection, query: str, nights: Nights, extra: dict[str, Any]) -> list[Room]:
    async with conn.cursor(row_factory=_room) as cursor:
        await cursor.execute(_QUERIES[query], _values(nights) | extra)
        return await cursor.fetchall()


def _values(nights: Nights) -> dict[str, Any]:
    return {"hotel": nights.hotel_id, "check_in": nights.check_in, "check_out": nights.check_out}


_room = class_row(Room)
