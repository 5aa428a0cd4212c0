"""What is noted of conflicts: how many there are, how bookings fare by them, and forgetting those that are past."""

from collections.abc import Collection
from datetime import date

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("conflicts.sql")


async def report(conn: AsyncConnection, bookings: Collection[tuple[int, str]], today: date) -> None:
    """Set the sync status of these bookings to `conflict` where they have one that is not over, else back."""
    ordered = sorted(bookings)
    values = {"hotels": [b[0] for b in ordered], "ids": [b[1] for b in ordered], "today": today}
    await conn.execute(_QUERIES["report"], values)


async def count(conn: AsyncConnection, slot: str) -> int:
    """How many room-nights that are not over are given away twice, as of the slot's day."""
    row = await (await conn.execute(_QUERIES["count"], {"slot": slot})).fetchone()
    return int(row[0]) if row else 0


async def prune(conn: AsyncConnection, hotel_id: int, today: date) -> None:
    """End what a new day ends: nights that are over are no conflict to be settled any more."""
    for name in ("settle", "forget"):
        await conn.execute(_QUERIES[name], {"hotel": hotel_id, "today": today})
