"""Bookings that came to us: the link between a client's own id and the reservation."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("links.sql")


@dataclass(frozen=True, slots=True)
class Link:
    """A client's own id for a booking, and the reservation it became."""

    source: str
    external_id: str
    hotel_id: int
    reservation_id: UUID


async def find(conn: AsyncConnection, source: str, external_id: str) -> Link | None:
    """The booking that this client made under this id."""
    values = {"source": source, "external_id": external_id}
    row = await (await conn.execute(_QUERIES["find"], values)).fetchone()
    return Link(source, external_id, *row) if row else None


async def add(conn: AsyncConnection, link: Link) -> bool:
    """Note a booking as made; False where the client has one under this id, which then stays as it is."""
    values = {
        "source": link.source, "external_id": link.external_id, "hotel": link.hotel_id,
        "reservation": link.reservation_id,
    }  # fmt: skip
    return await (await conn.execute(_QUERIES["add"], values)).fetchone() is not None
