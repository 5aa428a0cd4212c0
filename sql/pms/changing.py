"""Changing reservations that came to us, as staff would.

Every function runs in the caller's transaction, after `sql.pms.booking.act_as`.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import AsyncConnection

from sql.pms.booking import Signature
from sql.queries import load

_QUERIES = load("pms/changing.sql")


@dataclass(frozen=True, slots=True)
class Locked:
    """A reservation that nobody else changes until the transaction ends. nights: the ids of all its nights."""

    hotel_id: int
    id: UUID
    status: str
    check_in: date
    check_out: date
    nights: tuple[UUID, ...]


async def lock(conn: AsyncConnection, hotel_id: int, reservation_id: UUID) -> Locked | None:
    """Lock a booking with its nights; None where it is gone or is no booking."""
    wanted = {"hotel": hotel_id, "id": reservation_id}
    row = await (await conn.execute(_QUERIES["lock"], wanted)).fetchone()
    if row is None:
        return None
    nights = tuple([night_id async for (night_id,) in await conn.execute(_QUERIES["lock_nights"], wanted)])
    status, check_in, check_out = row
    return Locked(hotel_id, reservation_id, status, check_in, check_out, nights)


async def cancel(conn: AsyncConnection, booking: Locked, by: Signature) -> int:
    """Cancel a booking with all its nights and parking; rows, prices and payments stay.

    Returns yen: the rates of its nights that are due even when it is cancelled, summed as the PMS does.
    """
    values = {"hotel": booking.hotel_id, "id": booking.id, "user": by.user, "nights": list(booking.nights)}
    row = await (await conn.execute(_QUERIES["cancel_fee"], values)).fetchone()
    await conn.execute(_QUERIES["cancel"], values)
    await conn.execute(_QUERIES["cancel_nights"], values)
    parking = await (await conn.execute(_QUERIES["has_parking"])).fetchone()
    if parking and parking[0]:
        await conn.execute(_QUERIES["cancel_parking"], values)
    return int(row[0]) if row else 0
