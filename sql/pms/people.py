"""Clients of the PMS, as a booking engine may know them."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from sql.queries import load

_QUERIES = load("pms/people.sql")


@dataclass(frozen=True, slots=True)
class Person:
    """A client. name: in kanji, else in kana, else in Latin letters."""

    name: str | None
    name_kana: str | None
    email: str | None
    phone: str | None


async def find(conn: AsyncConnection, client_id: UUID) -> Person | None:
    """The client of this id."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(_QUERIES["find"], {"client": client_id})
        return await cursor.fetchone()
