"""Tables in daily partitions, by name: `event_20260131` holds that day in UTC."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import Identifier, Literal

from sql.queries import load

_QUERIES = load("partitions.sql")


class Partition(NamedTuple):
    """One day's table. detaching: a concurrent detaching of it was interrupted."""

    name: str
    attached: bool
    detaching: bool

    @property
    def day(self) -> date:
        """The day it holds."""
        return datetime.strptime(self.name[-8:], "%Y%m%d").replace(tzinfo=UTC).date()


@dataclass(frozen=True, slots=True)
class Daily:
    """A table of ours in daily partitions. bound: what its key is when a day begins."""

    table: str
    bound: Callable[[datetime], object]

    @asynccontextmanager
    async def alone(self, conn: AsyncConnection) -> AsyncIterator[bool]:
        """Whether the caller is the only one at work on the partitions; nobody else is until the end."""
        row = await (await conn.execute(_QUERIES["alone"], {"table": self.table})).fetchone()
        mine = bool(row and row[0])
        try:
            yield mine
        finally:
            if mine:
                await conn.execute(_QUERIES["done"], {"table": self.table})

    async def partitions(self, conn: AsyncConnection) -> list[Partition]:
        """All partitions and what is left of former ones, oldest first."""
        return [Partition(*row) async for row in await conn.execute(_QUERIES["list"], {"table": self.table})]

    async def make(self, conn: AsyncConnection, *, ahead: int) -> None:
        """Make those of today and so many days ahead that are not there."""
        first = await today(conn)
        there = {partition.day for partition in await self.partitions(conn) if partition.attached}
        for day in (first + timedelta(days=n) for n in range(ahead + 1)):
            if day not in there:
                await self.create(conn, day)

    async def create(self, conn: AsyncConnection, day: date) -> None:
        """Make a day's partition."""
        names = {"table": Identifier(self.table), "partition": Identifier(f"{self.table}_{day:%Y%m%d}")}
        first, end = (datetime.combine(day + timedelta(days=n), time(), UTC) for n in (0, 1))
        bounds = {"first": Literal(self.bound(first)), "end": Literal(self.bound(end))}
        async with conn.transaction():
            await conn.execute(_QUERIES["create"].format(**names))
            await conn.execute(_QUERIES["attach"].format(**names, **bounds))

    async def drop(self, conn: AsyncConnection, partition: Partition) -> None:
        """Take a partition off without locking anybody out, then drop it. Needs autocommit."""
        names = {"table": Identifier(self.table), "partition": Identifier(partition.name)}
        if partition.attached:
            step = "finalize" if partition.detaching else "detach"
            await conn.execute(_QUERIES[step].format(**names))
        await conn.execute(_QUERIES["drop"].format(**names))


async def today(conn: AsyncConnection) -> date:
    """The server's day in UTC."""
    row = await (await conn.execute(_QUERIES["today"])).fetchone()
    assert row is not None  # a select without a table
    day: date = row[0]
    return day
