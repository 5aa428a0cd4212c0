"""The feed in the database: positions of what has changed, what is read from one, and how far clients have read.

A position is given after the commit of what it tells, and whoever sees a position sees every lower one: reading on
from the last one seen misses nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import Identifier

from sql.delivery import Claim
from sql.partitions import Daily, Partition
from sql.queries import load

_QUERIES = load("feed.sql")
EVENTS = Daily("event", lambda day: int(day.timestamp()) * 1_000_000)
"""The partitions of the feed; positions are about the microseconds of the clock."""
REACH = 10_000
"""How many events one read looks through for those that are asked for."""


class Asked(NamedTuple):
    """What of the feed is asked for. hotels: ids, None for all; own: only bookings of our own."""

    kinds: Collection[str]
    hotels: Collection[int] | None
    own: bool


class Page(NamedTuple):
    """Some events, each with its document as of one snapshot.

    claims: `place` is the position, `acked` the version before the event; end: the position to read on from;
    more: whether there are more now.
    """

    claims: list[Claim]
    end: int
    more: bool


class Cursor(NamedTuple):
    """How far a client has read. acked_at: when it last said so."""

    name: str
    position: int
    acked_at: datetime


class Lagging(NamedTuple):
    """A cursor and what it has yet to acknowledge.

    expired: it has missed events; behind: how many are left, at most 100,000; oldest: the position of the first.
    """

    client: str
    name: str
    position: int
    acked_at: datetime
    expired: bool
    behind: int
    oldest: int | None

    def seconds(self, now: datetime) -> float:
        """For how long there has been something to acknowledge, at least; 0 where there is nothing."""
        return age(self.oldest, now)


class Standing(NamedTuple):
    """head: the last position given; waits: a version that has waited longest for one, None where none waits."""

    head: int
    waits: int | None


def age(micros: int | None, now: datetime) -> float:
    """Seconds since a position or version was given, or 0 for none."""
    return max(now.timestamp() - micros / 1e6, 0.0) if micros else 0.0


async def number(conn: AsyncConnection, after: int) -> tuple[int, int]:
    """Give positions to what has waited longest, of what was queued after the id `after`.

    Returns the last id of the queue that was told, 0 for none, and how many batches.

    Raises:
        psycopg.errors.CheckViolation: no partition takes the positions.
    """
    async with conn.pipeline(), conn.transaction():
        await conn.execute(_QUERIES["alone"])
        told = await conn.execute(_QUERIES["number"], {"after": after})
        row = await told.fetchone()
    assert row is not None  # an aggregate
    return int(row[0]), int(row[1])


async def head(conn: AsyncConnection) -> int:
    """The last position that was given, 0 before the first."""
    return await _position(conn, "head")


async def floor(conn: AsyncConnection) -> int:
    """The last position that was dropped: reading on from a lower one misses something."""
    return await _position(conn, "floor")


async def read(conn: AsyncConnection, after: int, asked: Asked, limit: int) -> Page:
    """Up to `limit` of the events after a position. Whether that is still kept is asked afterwards: `floor`."""
    given = {
        "after": after,
        "kinds": list(asked.kinds),
        "hotels": None if asked.hotels is None else list(asked.hotels),
        "own": asked.own,
        "limit": limit,
        "reach": REACH,
    }
    rows = await (await conn.execute(_QUERIES["read"], given, binary=True)).fetchall()
    claims = [_claim(row) for row in rows if row[2] is not None]
    end = claims[-1].place if len(claims) == limit else max(after, rows[0][1] or 0)
    return Page(claims, end, (rows[0][0] or 0) > end)


async def cursor(conn: AsyncConnection, client: str, name: str) -> int | None:
    """Where a client's cursor stands; None where there is none of that name."""
    row = await (await conn.execute(_QUERIES["cursor"], {"client": client, "name": name})).fetchone()
    return int(row[0]) if row else None


async def cursors(conn: AsyncConnection, client: str) -> list[Cursor]:
    """A client's cursors, by name."""
    return [Cursor(*row) async for row in await conn.execute(_QUERIES["cursors"], {"client": client})]


async def ack(conn: AsyncConnection, client: str, name: str, position: int, *, most: int) -> Cursor | None:
    """Move a cursor on, never back, or make it; None where the client has `most` others."""
    given = {"client": client, "name": name, "position": position}
    row = await (await conn.execute(_QUERIES["ack"], given)).fetchone()
    if row is None:
        async with conn.transaction():
            await conn.execute(_QUERIES["one_client"], {"client": client})
            row = await (await conn.execute(_QUERIES["make"], given | {"most": most})).fetchone()
    return Cursor(*row) if row else None


async def remove(conn: AsyncConnection, client: str, name: str) -> bool:
    """Forget a cursor; whether there was one."""
    return (await conn.execute(_QUERIES["remove"], {"client": client, "name": name})).rowcount > 0


async def drop(conn: AsyncConnection, partition: Partition) -> None:
    """Drop a day of events, and say so to those who have not read it."""
    await conn.execute(_QUERIES["raise_floor"].format(partition=Identifier(partition.name)))
    await EVENTS.drop(conn, partition)


async def forget(conn: AsyncConnection, days: int) -> None:
    """Forget the cursors that have missed something and were not moved for so many days."""
    await conn.execute(_QUERIES["forget"], {"days": days})


async def standing(conn: AsyncConnection) -> Standing:
    """How far the feed is."""
    row = await (await conn.execute(_QUERIES["standing"])).fetchone()
    assert row is not None  # its table has one row
    return Standing(*row)


async def lagging(conn: AsyncConnection) -> list[Lagging]:
    """How far the cursors are behind, of clients that have a valid key."""
    return [Lagging(*row) async for row in await conn.execute(_QUERIES["lagging"])]


async def _position(conn: AsyncConnection, query: str) -> int:
    row = await (await conn.execute(_QUERIES[query])).fetchone()
    return int(row[0]) if row else 0


def _claim(row: Any) -> Claim:
    _, _, position, kind, hotel_id, number, since, version, born, body, committed_at, *nights = row
    return Claim(
        kind=kind,
        hotel_id=hotel_id,
        id=number,
        marked=version,
        acked=since,
        place=position,
        sent=False,
        tries=0,
        version=version,
        born=born,
        body=body,
        committed_at=committed_at,
        days=nights[0],
        sellable=nights[1],
        occupied=nights[2],
    )
