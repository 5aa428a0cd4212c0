"""Room-nights that a booking of ours shares with another stay of the PMS: finding, noting and listing them.

Every function but `listed` runs in the projector's transaction. Reservations are (hotel_id, uuid as text) pairs,
nights (hotel_id, "YYYY-MM-DD") pairs.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("pms/conflicts.sql")
_TOUCHED = _QUERIES["touched"].format(own=_QUERIES["own"])
_RENEW = _QUERIES["renew"].format(own=_QUERIES["own"])


class Change(NamedTuple):
    """A room-night whose conflict is another than noted. others: who else has the room; none: it is over."""

    hotel_id: int
    reservation_id: UUID
    room_id: int
    date: date
    others: list[UUID]


class Conflict(NamedTuple):
    """A room-night that is given away twice. others: id, status and agent of each other stay."""

    hotel_id: int
    reservation_id: UUID
    external_id: str | None
    date: date
    room_number: str | None
    found_at: datetime
    others: list[str]


async def touched(
    conn: AsyncConnection,
    nights: Collection[tuple[int, str]],
    reservations: Collection[tuple[int, str]],
    agent: str,
) -> set[tuple[int, str]]:
    """The bookings of ours whose conflicts may be others, now that these nights and reservations have changed."""
    values: dict[str, Any] = {
        "night_hotels": [n[0] for n in nights], "dates": [n[1] for n in nights],
        "hotels": [r[0] for r in reservations], "ids": [r[1] for r in reservations], "agent": agent,
    }  # fmt: skip
    rows = await conn.execute(_TOUCHED, values)
    return {(hotel_id, reservation_id) async for hotel_id, reservation_id in rows}


async def renew(conn: AsyncConnection, bookings: Collection[tuple[int, str]], agent: str) -> list[Change]:
    """Note with which stays these bookings, their documents locked, share rooms now; returns what differs."""
    ordered = sorted(bookings)
    values = {"hotels": [b[0] for b in ordered], "ids": [b[1] for b in ordered], "agent": agent}
    return [Change(*row) async for row in await conn.execute(_RENEW, values)]


async def listed(conn: AsyncConnection, today: date) -> list[Conflict]:
    """All conflicts of nights that are not over, the next ones first."""
    return [Conflict(*row) async for row in await conn.execute(_QUERIES["list"], {"today": today})]
