"""Doing something in the database until it is done: what passes by itself is tried again, up to a deadline."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from sql.pipelines import pipelined
from sql.pool import Pool

log = structlog.get_logger()
T = TypeVar("T")

_StoodStill = psycopg.errors.IdleInTransactionSessionTimeout
"""What a process that was suspended, perhaps with its whole machine, finds when it wakes up."""

_FIRST_WAIT, _LONGEST_WAIT = 0.02, 2.0


class Persistence:
    """Runs work on pooled connections; `patience` is how many seconds one piece of work may be tried."""

    def __init__(self, pool: Pool, patience: float) -> None:
        self._pool = pool
        self._patience = patience

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do the work, again after a lock that was not free, a deadlock, a time-out or a lost connection.

        The work must be able to run twice: a commit whose answer was lost is done again.

        Raises:
            psycopg.Error: it cannot succeed, or has not within the patience.
        """
        deadline = time.monotonic() + self._patience
        wait = _FIRST_WAIT
        while True:
            try:
                async with self._pool.connection() as conn:
                    return await work(conn)
            except (psycopg.OperationalError, psycopg.InterfaceError, _StoodStill, PoolTimeout) as error:
                if time.monotonic() + wait > deadline or not _passes(error):
                    raise
                log.warning("database_retry", error=_first_line(error), wait_seconds=round(wait, 3))
            # Several of us that failed together should not come back together.
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311
            wait = min(wait * 2, _LONGEST_WAIT)


@asynccontextmanager
async def transacting(conn: AsyncConnection) -> AsyncIterator[None]:
    """A transaction as a pipeline, on a connection of a pool, which undoes it where the block fails.

    Psycopg's own transaction waits for the database three times more.
    """
    async with pipelined(conn):
        await conn.execute("begin")
        yield
        await conn.execute("commit")


def _passes(error: Exception) -> bool:
    """Whether time may heal it; PostgreSQL's class 53 (out of resources) and 57 (operator) do."""
    state = getattr(error, "sqlstate", None)
    if isinstance(error, _StoodStill):
        return True
    return state is None or state[:2] in {"08", "40", "53", "55", "57"}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
