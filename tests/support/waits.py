"""How long the PMS's sessions wait for locks that Roomwire's hold, as the server itself tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

_EVERY = 0.01
_WAITING = """
    select l.pid, l.waitstart::text, extract(epoch from clock_timestamp() - l.waitstart)::float8
    from pg_locks l
    join pg_stat_activity waiting on waiting.pid = l.pid
    where not l.granted and l.waitstart is not null
        and waiting.datname = current_database() and waiting.application_name not like 'roomwire%'
        and exists (
            select from unnest(pg_blocking_pids(l.pid)) as one (pid)
            join pg_stat_activity holding on holding.pid = one.pid
            where holding.application_name like 'roomwire%')
"""
_DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


@dataclass
class Waits:
    """What was seen of a database.

    Attributes:
        seconds: each wait of a session that is not Roomwire's for one that is: (pid, its beginning) → how long.
        looks: how often it was looked.
        deadlocks: how many there were, whoever lost; known when the watch has ended.
    """

    seconds: dict[tuple[int, str], float] = field(default_factory=dict)
    looks: int = 0
    deadlocks: int = 0

    @property
    def longest(self) -> float:
        """Seconds of the longest wait; 0 where nobody waited."""
        return max(self.seconds.values(), default=0.0)


@asynccontextmanager
async def watching(dsn: str) -> AsyncIterator[Waits]:
    """Look a hundred times a second, until the block ends."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name="watch") as conn:
        waits, done = Waits(), asyncio.Event()
        before = await _deadlocks(conn)
        looking = asyncio.create_task(_look(conn, waits, done))
        try:
            yield waits
        finally:
            done.set()
            await looking
        waits.deadlocks = await _deadlocks(conn) - before


async def _look(conn: psycopg.AsyncConnection[Any], waits: Waits, done: asyncio.Event) -> None:
    while not done.is_set():
        for pid, since, seconds in await (await conn.execute(_WAITING)).fetchall():
            waits.seconds[pid, since] = max(seconds, waits.seconds.get((pid, since), 0.0))
        waits.looks += 1
        try:
            async with asyncio.timeout(_EVERY):
                await done.wait()
        except TimeoutError:
            continue


async def _deadlocks(conn: psycopg.AsyncConnection[Any]) -> int:
    # Statistics of the session's own are cached for a transaction; those of others come within a second at most.
    row = await (await conn.execute(_DEADLOCKS)).fetchone()
    return int(row[0]) if row else 0
