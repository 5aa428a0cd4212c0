"""Bookings that came to us, as their documents have them: what a client may see of its own."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("booked.sql")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. hotels: None for every one; user_id: of the engine's user where only his are to be seen."""

    source: str
    hotels: Collection[int] | None
    user_id: str | None


class Position(NamedTuple):
    """A place in the order of changes: just after this version of this booking."""

    version: int
    id: UUID


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking as its document has it. external_id: the client's own; body: None where it is gone."""

    id: UUID
    hotel_id: int
    external_id: str
    version: int
    body: dict[str, Any] | None


async def find(conn: AsyncConnection, viewer: Viewer, booking_id: UUID) -> Booked | None:
    """The booking of this id; None where it is not there, or not to be seen."""
    row = await (await conn.execute(_QUERIES["one"], _values(viewer) | {"id": booking_id})).fetchone()
    return Booked(booking_id, *row) if row else None


async def changed(conn: AsyncConnection, viewer: Viewer, after: Position, limit: int) -> list[Booked]:
    """The next bookings after a position, in the order of their versions."""
    values = _values(viewer) | {"version": after.version, "id": after.id, "limit": limit}
    return [Booked(*row) async for row in await conn.execute(_QUERIES["changed"], values)]


def _values(viewer: Viewer) -> dict[str, Any]:
    hotels = None if viewer.hotels is None else sorted(viewer.hotels)
    return {"source": viewer.source, "hotels": hotels, "user": viewer.user_id}
