"""The documents of bookings that are being written here, by the transaction that writes them."""

from psycopg import AsyncConnection

from sql.documents import Document
from sql.pms.bookings import FRESH
from sql.pms.parts import NOTE
from sql.projection import MARKS_OF_OURS, Frame
from sql.queries import fill, load

_TELL = fill(load("inbound.sql")["tell"], note=NOTE, fresh=FRESH.one, marks=MARKS_OF_OURS)


async def tell(conn: AsyncConnection, key: tuple[int, str], frame: Frame) -> Document | None:
    """Bring a booking's document, which is locked or new, up to what the PMS says now; None where there is none."""
    values = {"hotels": [key[0]], "hotel": key[0], "ids": [key[1]], "agent": frame.agent}
    row = await (await conn.execute(_TELL, values)).fetchone()
    return Document(*row) if row else None
