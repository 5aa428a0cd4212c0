"""The documents of bookings that are being written here, by the transaction that writes them."""

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql.documents import Document
from sql.literals import array
from sql.pms.bookings import FRESH, FRESH_BORN
from sql.pms.parts import NOTE
from sql.projection import MARKS_OF_OURS, Frame
from sql.queries import fill, load

_QUERIES = load("inbound.sql")
_TELL = fill(_QUERIES["tell"], note=NOTE, fresh=FRESH.one, marks=MARKS_OF_OURS)
_TELL_BORN = fill(_QUERIES["tell_born"], note=NOTE, fresh=FRESH_BORN.one, marks=MARKS_OF_OURS)


async def tell(conn: AsyncConnection, key: tuple[int, str], frame: Frame) -> Document | None:
    """Bring a booking's document, which is locked, up to what the PMS says now; None where there is none."""
    return await _tell(conn, _TELL, key, frame)


async def tell_born(conn: AsyncConnection, key: tuple[int, str], frame: Frame) -> Document | None:
    """Make the document of a reservation that this very transaction has made; None where there is none."""
    return await _tell(conn, _TELL_BORN, key, frame)


async def _tell(conn: AsyncConnection, query: SQL, key: tuple[int, str], frame: Frame) -> Document | None:
    values = {"hotels": array([key[0]]), "hotel": key[0], "ids": array([key[1]]), "agent": frame.agent}
    row = await (await conn.execute(query, values)).fetchone()
    return Document(*row) if row else None
