"""Database work that outlives the database's bad moments."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.errors import CheckViolation, ReadOnlySqlTransaction

from outbox.delivery import partitions
from sql.pool import Pool

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

PASSING = (psycopg.OperationalError, psycopg.InterfaceError, ReadOnlySqlTransaction)
"""What heals by itself."""
_SHORTEST, _LONGEST = 0.05, 5.0
_log = structlog.get_logger(__name__)


async def steadily(pool: Pool, work: Work[T]) -> T:
    """Run `work` on a connection of the pool until it succeeds, pausing longer each time, up to five seconds.

    For work that is one statement or one transaction. Lost connections, lock timeouts and a server that restarts or
    is read-only for a while are waited out; so are attempts that no partition takes, once it has been made. Other
    errors are raised.
    """
    pause = _SHORTEST
    missing = False
    while True:
        try:
            if missing:
                await partitions.maintain(pool)
            async with pool.connection() as conn:
                return await work(conn)
        except (*PASSING, CheckViolation) as error:
            missing = isinstance(error, CheckViolation)
            _log.warning("database_retry", error=str(error).strip(), wait_seconds=pause)
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries
        pause = min(pause * 2, _LONGEST)


async def unhurried(work: Awaitable[T], grace: float) -> T:
    """Await work; when cancelled, let the work go on for up to `grace` seconds before it is cancelled too."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=grace)
        task.cancel()
        raise
