"""Clients of the PMS, as a booking engine may know them."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from sql.pms.clients import KNOWN, Circle
from sql.queries import fill, load

_FIND = fill(load("pms/people.sql")["find"], known=KNOWN)


@dataclass(frozen=True, slots=True)
class Person:
    """A client. name: in kanji, else in kana, else in Latin letters."""

    name: str | None
    name_kana: str | None
    email: str | None
    phone: str | None


async def find(conn: AsyncConnection, client_id: UUID, circle: Circle) -> Person | None:
    """The client of this id, if there is one and he is within the circle."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(_FIND, {"client": client_id} | circle.values())
        return await cursor.fetchone()
