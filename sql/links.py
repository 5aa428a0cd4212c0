"""Bookings that came to us: the link between a client's own id and the reservation."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql.queries import fill, load

_QUERIES = load("links.sql")
ADDED = _QUERIES["added"]
"""Adds a link where {wanted} holds; FARED, its status, reads it as `added`. Parameters: `values` of it."""
FARED = _QUERIES["fared"]
_ADD = fill(_QUERIES["add"], added=fill(ADDED, wanted=SQL("true")), fared=FARED)


@dataclass(frozen=True, slots=True)
class Link:
    """A client's own id for a booking, and the reservation it became."""

    source: str
    external_id: str
    hotel_id: int
    reservation_id: UUID

    def values(self) -> dict[str, Any]:
        """The parameters of ADDED."""
        return {
            "source": self.source, "external_id": self.external_id, "hotel": self.hotel_id,
            "reservation": self.reservation_id,
        }  # fmt: skip


async def find(conn: AsyncConnection, source: str, external_id: str) -> Link | None:
    """The booking that this client made under this id."""
    values = {"source": source, "external_id": external_id}
    row = await (await conn.execute(_QUERIES["find"], values)).fetchone()
    return Link(source, external_id, *row) if row else None


async def add(conn: AsyncConnection, link: Link) -> bool:
    """Note a booking as made; False where the client has one under this id, which then stays as it is."""
    return await (await conn.execute(_ADD, link.values())).fetchone() is not None
