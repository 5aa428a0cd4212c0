"""Marking what replays send again: in pages, by whichever worker comes first.

A page is one transaction that holds the job's row and notes how far it is: a worker that dies leaves the rest to
the next one.
"""

import asyncio
from functools import partial

import structlog
from psycopg import AsyncConnection

from outbox.delivery.steady import steadily
from sql import replay
from sql.pool import Pool

_PAGE = 500
"""Documents; who writes one of them meanwhile waits until the page is marked."""
_log = structlog.get_logger(__name__)


async def keep_marking(pool: Pool, every: float) -> None:
    """Mark until cancelled what replays want, looking for them each `every` seconds."""
    while True:
        while await mark(pool):
            pass
        await asyncio.sleep(every)


async def mark(pool: Pool, *, page: int = _PAGE) -> bool:
    """Look at the next `page` documents of the oldest replay that nobody is at; returns whether there was one."""
    return await steadily(pool, partial(_mark, page=page))


async def _mark(conn: AsyncConnection, page: int) -> bool:
    if not await replay.any_open(conn):
        return False
    async with conn.transaction():
        job = await replay.next_(conn)
        if job is None:
            return False
        if job.moot:
            await replay.finish(conn, job.id, "a first sync sends everything instead")
        elif await replay.mark(conn, job.id, page):
            return True
        else:
            await replay.finish(conn, job.id)
    _log.info("replay_marked", endpoint=job.endpoint, replay=job.id)
    return True
