"""Room-nights that a booking of ours shares with another stay of the PMS: finding, noting and listing them.

Every function but `listed` runs in the projector's transaction. Reservations are (hotel_id, uuid as text) pairs,
nights (hotel_id, "YYYY-MM-DD") pairs.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql.literals import array
from sql.queries import load

_QUERIES = load("pms/conflicts.sql")

Key = tuple[int, str]


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
    conn: AsyncConnection, nights: Collection[Key], reservations: Collection[Key], agent: str
) -> set[Key]:
    """The bookings of ours whose conflicts may be others, now that these nights and reservations have changed."""
    values: dict[str, Any] = {
        "night_hotels": array(n[0] for n in nights), "dates": array(n[1] for n in nights),
        "hotels": array(r[0] for r in reservations), "ids": array(r[1] for r in reservations),
    }  # fmt: skip
    known = await (await conn.execute(_QUERIES["known"], values)).fetchall()
    hotels = {hotel_id for hotel_id, booking in known if booking is None}
    shared = await _keys(conn, _QUERIES["shared"], [n for n in nights if n[0] in hotels], agent)
    ours = await _keys(conn, _QUERIES["ours"], shared, agent)
    return ours | {(hotel_id, booking) for hotel_id, booking in known if booking is not None}


async def _keys(conn: AsyncConnection, query: SQL, pairs: Collection[Key], agent: str) -> set[Key]:
    """What a query finds for these pairs; nothing for none, without asking."""
    if not pairs:
        return set()
    values = {"hotels": [p[0] for p in pairs], "others": [p[1] for p in pairs], "agent": agent}
    return {(hotel_id, number) async for hotel_id, number in await conn.execute(query, values)}


async def renew(conn: AsyncConnection, bookings: Collection[Key], agent: str) -> list[Change]:
    """Note with which stays these bookings, their documents locked, share rooms now; returns what differs."""
    ordered = sorted(bookings)
    values = {"hotels": [b[0] for b in ordered], "ids": [b[1] for b in ordered], "agent": agent}
    return [Change(*row) async for row in await conn.execute(_QUERIES["renew"], values)]


async def listed(conn: AsyncConnection, today: date) -> list[Conflict]:
    """All conflicts of nights that are not over, the next ones first."""
    return [Conflict(*row) async for row in await conn.execute(_QUERIES["list"], {"today": today})]
