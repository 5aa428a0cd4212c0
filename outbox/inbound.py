"""Documents of what the API itself writes, in the transaction that writes it.

The change stream then finds no difference, so nothing is told twice. What a reservation was computed from
(`reservation_seen`) and availability are left to the stream, their only writer: it learns from them which nights a
change has left.
"""

from uuid import UUID

from psycopg import AsyncConnection

from sql import inbound, projection
from sql.documents import Document
from sql.projection import Frame


async def project_booking(
    conn: AsyncConnection, hotel_id: int, reservation_id: UUID, frame: Frame, *, new: bool = False
) -> Document | None:
    """Bring a reservation's document up to what the caller's transaction has written, and return it.

    To be called last: who writes documents locks them after everything of the PMS. None where there is no document,
    for what is no booking or lies outside the window. new: nobody else can know of the reservation, so there is
    nothing to lock.
    """
    key = (hotel_id, str(reservation_id))
    await projection.lock_endpoints(conn)
    if new:
        return await inbound.tell_born(conn, key, frame)
    await projection.lock_booking(conn, key, frame)
    return await inbound.tell(conn, key, frame)


async def version_in_step(conn: AsyncConnection, hotel_id: int, reservation_id: UUID, frame: Frame) -> int | None:
    """A booking's version, if its document says what the PMS says now; what the stream has not told yet counts.

    Writes nothing, so that the caller may still lock rows of the PMS.
    """
    return await projection.booking_in_step(conn, (hotel_id, str(reservation_id)), frame)
