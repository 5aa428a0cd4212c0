"""Hints between processes that documents have changed. The poll is the truth; a hint only makes it sooner.

NOTIFY takes a lock on the whole database at commit, so it never stands in a transaction that writes, and many
changes make one hint.
"""

import asyncio

import psycopg
import structlog

from sql.pool import Pool, connect, end_if_cancelled
from sql.queries import load

log = structlog.get_logger()

_QUERIES = load("hints.sql")
_BETWEEN_HINTS = 0.02
_RECONNECT = 2.0


async def send_hints(pool: Pool, changed: asyncio.Event) -> None:
    """Tell other processes whenever `changed` is set, at most fifty times a second."""
    while True:
        await changed.wait()
        changed.clear()
        try:
            async with pool.connection() as conn:
                await conn.execute(_QUERIES["send"])
        except psycopg.Error as error:
            log.warning("hint_lost", error=str(error))
        await asyncio.sleep(_BETWEEN_HINTS)


async def receive_hints(dsn: str, wake: asyncio.Event) -> None:
    """Set `wake` whenever another process says that documents have changed."""
    while True:
        try:
            async with await connect(dsn, application="hints") as conn:
                await conn.execute(_QUERIES["listen"])
                async for _ in conn.notifies():
                    end_if_cancelled()
                    wake.set()
        except psycopg.Error as error:
            end_if_cancelled()
            log.warning("hints_lost", error=str(error))
        await asyncio.sleep(_RECONNECT)
