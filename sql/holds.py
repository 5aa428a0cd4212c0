"""Rooms held until they are booked or the hold expires."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("holds.sql")


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold; its id is that of its reservation. digest: of the reservation as we wrote it."""

    id: UUID
    hotel_id: int
    digest: str


async def held(conn: AsyncConnection, source: str) -> tuple[int, int]:
    """How many rooms a client holds, and in how many seconds the next are given back; nobody adds any meanwhile.

    Raises:
        psycopg.errors.LockNotAvailable: somebody has been adding one for longer than we wait.
    """
    await conn.execute(_QUERIES["alone"], {"source": source})
    row = await (await conn.execute(_QUERIES["held"], {"source": source})).fetchone()
    assert row is not None  # aggregates give one row
    return row[0], row[1]


async def add(conn: AsyncConnection, hold: Hold, source: str, expires_at: datetime, rooms: int) -> None:
    """Note a hold of one client (`source`), of so many rooms."""
    values = {
        "id": hold.id, "hotel": hold.hotel_id, "source": source, "expires_at": expires_at, "digest": hold.digest,
        "rooms": rooms,
    }  # fmt: skip
    await conn.execute(_QUERIES["add"], values)


async def take(conn: AsyncConnection, source: str, hold_id: UUID) -> Hold | None:
    """Lock a client's hold; None where there is none, or its time is over."""
    row = await (await conn.execute(_QUERIES["take"], {"id": hold_id, "source": source})).fetchone()
    return Hold(hold_id, *row) if row else None


async def take_expired(conn: AsyncConnection, passed: Collection[UUID]) -> Hold | None:
    """Lock the oldest expired hold, but for those of `passed` and those that somebody else has locked."""
    row = await (await conn.execute(_QUERIES["take_expired"], {"passed": list(passed)})).fetchone()
    return Hold(*row) if row else None


async def remove(conn: AsyncConnection, hold_id: UUID) -> None:
    """Forget a hold; its reservation stays as it is."""
    await conn.execute(_QUERIES["remove"], {"id": hold_id})
