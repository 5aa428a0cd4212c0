"""How each booking fares that came to us: its state, and how the last attempt at it ended.

The state is the booking's, the error the last attempt's. A change that is refused leaves a booking as it was, and
both sides know that: it stays `synced`, with the error beside it.

- `pending`: the last attempt came to no decision; the client has to try again to know what holds.
- `synced`: it is in the PMS as the client was last told.
- `failed`: it is not in the PMS, for the error's reason.
- `conflict`: it is in the PMS, and a room of it is another stay's, too.
"""

from datetime import datetime
from typing import Literal, NamedTuple

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("sync.sql")

Status = Literal["pending", "synced", "failed", "conflict"]


class Ended(NamedTuple):
    """How an attempt ended. error: a code, None where it succeeded; undecided: the client has to try again."""

    error: str | None = None
    undecided: bool = False


class Count(NamedTuple):
    """How many bookings have a status; oldest: the last attempt that was longest ago."""

    status: str
    bookings: int
    oldest: datetime


class Fare(NamedTuple):
    """How a booking fares. booking_id: None where there is none; retries: attempts since the first that failed."""

    last_attempt_at: datetime
    status: str
    hotel_id: int
    source: str
    external_id: str
    booking_id: str | None
    error: str | None
    retries: int


async def not_booked(conn: AsyncConnection, source: str, external_id: str, hotel_id: int, ended: Ended) -> None:
    """Note an attempt at a booking that came to nothing; nothing where there is a booking of this id."""
    values = {"source": source, "external_id": external_id, "hotel": hotel_id} | ended._asdict()
    await conn.execute(_QUERIES["not_booked"], values)


async def attempted(conn: AsyncConnection, source: str, external_id: str, ended: Ended) -> None:
    """Note an attempt to change a booking.

    To be called last: the change stream notes conflicts under the lock of the booking's document.
    """
    values = {"source": source, "external_id": external_id} | ended._asdict()
    await conn.execute(_QUERIES["attempted"], values)


async def counts(conn: AsyncConnection) -> list[Count]:
    """How many there are of each status but `synced`."""
    return [Count(*row) async for row in await conn.execute(_QUERIES["counts"])]


async def listed(
    conn: AsyncConnection, most: int, *, hotel: int | None = None, status: str | None = None
) -> list[Fare]:
    """Bookings that are not synced, or whose last attempt was refused; the newest attempts first."""
    values = {"most": most, "hotel": hotel, "status": status}
    return [Fare(*row) async for row in await conn.execute(_QUERIES["listed"], values)]


async def forget(conn: AsyncConnection, *, days: int, limit: int) -> int:
    """Delete some that came to no booking and were not attempted for so many days; returns how many."""
    return (await conn.execute(_QUERIES["forget"], {"days": days, "limit": limit})).rowcount
