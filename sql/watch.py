"""Looking at how it goes: who streams, what holds the log, what is left, what failed last."""

from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("watch.sql")


class Sender(NamedTuple):
    """Who streams a slot.

    since: None where this role may not know; lag_seconds: as the server measures it, None when idle.
    """

    pid: int
    application: str
    address: str
    since: datetime | None
    lag_seconds: float | None


class Holder(NamedTuple):
    """The oldest open transaction that has written.

    since: None where this role may not know it; younger: how many transactions have begun since.
    """

    who: str
    database: str
    since: datetime | None
    younger: int


class Failure(NamedTuple):
    """An endpoint's last failed send."""

    endpoint: str
    at: datetime
    type: str
    outcome: str
    error: str | None


class Refused(NamedTuple):
    """A key that an endpoint does not take."""

    endpoint: str
    kind: str
    hotel_id: int
    id: str
    at: datetime
    error: str | None


async def sender(conn: AsyncConnection, slot: str) -> Sender | None:
    """Who streams the slot, None if nobody does."""
    row = await (await conn.execute(_QUERIES["sender"], {"slot": slot})).fetchone()
    return Sender(*row) if row else None


async def checkpoint_age(conn: AsyncConnection, slot: str) -> float | None:
    """Seconds since the slot's checkpoint was last written."""
    row = await (await conn.execute(_QUERIES["moved"], {"slot": slot})).fetchone()
    return float(row[0]) if row else None


async def holder(conn: AsyncConnection) -> Holder | None:
    """The oldest transaction of the whole server that has written and is still open."""
    row = await (await conn.execute(_QUERIES["holder"])).fetchone()
    return Holder(*row) if row else None


async def keys_left(conn: AsyncConnection) -> int:
    """About how many keys the durable work has left."""
    row = await (await conn.execute(_QUERIES["left"])).fetchone()
    return int(row[0]) if row else 0


async def failures(conn: AsyncConnection) -> list[Failure]:
    """The last failed send of each endpoint within a day, newest first."""
    rows = await conn.execute(_QUERIES["failures"], prepare=False)
    return [Failure(*row) async for row in rows]


async def refused(conn: AsyncConnection, most: int) -> list[Refused]:
    """Up to `most` keys that were refused for good, newest first."""
    return [Refused(*row) async for row in await conn.execute(_QUERIES["refused"], {"most": most})]
