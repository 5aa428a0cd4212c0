"""The daily partitions of the attempts, by name: `attempt_20260131` holds that day in UTC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import Identifier, Literal

from sql.queries import load

_QUERIES = load("attempts.sql")


class Partition(NamedTuple):
    """One day's table. detaching: a concurrent detaching of it was interrupted."""

    name: str
    attached: bool
    detaching: bool

    @property
    def day(self) -> date:
        """The day it holds."""
        return datetime.strptime(self.name[-8:], "%Y%m%d").replace(tzinfo=UTC).date()


@asynccontextmanager
async def alone(conn: AsyncConnection) -> AsyncIterator[bool]:
    """Whether the caller is the only one at work on partitions; nobody else is until the end."""
    row = await (await conn.execute(_QUERIES["alone"])).fetchone()
    mine = bool(row and row[0])
    try:
        yield mine
    finally:
        if mine:
            await conn.execute(_QUERIES["done"])


async def today(conn: AsyncConnection) -> date:
    """The server's day in UTC."""
    row = await (await conn.execute(_QUERIES["today"])).fetchone()
    assert row is not None  # a select without a table
    day: date = row[0]
    return day


async def partitions(conn: AsyncConnection) -> list[Partition]:
    """All partitions and what is left of former ones, oldest first."""
    return [Partition(*row) for row in await (await conn.execute(_QUERIES["list"])).fetchall()]


async def create(conn: AsyncConnection, day: date) -> None:
    """Make a day's partition."""
    name = Identifier(f"attempt_{day:%Y%m%d}")
    first = datetime.combine(day, time(), UTC)
    bounds = {"first": Literal(first), "end": Literal(first + timedelta(days=1))}
    async with conn.transaction():
        await conn.execute(_QUERIES["create"].format(partition=name))
        await conn.execute(_QUERIES["attach"].format(partition=name, **bounds))


async def drop(conn: AsyncConnection, partition: Partition) -> None:
    """Take a partition off without locking anybody out, then drop it. Needs autocommit."""
    name = Identifier(partition.name)
    if partition.attached:
        step = "finalize" if partition.detaching else "detach"
        await conn.execute(_QUERIES[step].format(partition=name))
    await conn.execute(_QUERIES["drop"].format(partition=name))
