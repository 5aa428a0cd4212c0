"""What ends by itself: holds whose time is over, stored answers and failures that nobody asks for any more.

Safe in any number of processes at once: each hold is ended under its lock, in a transaction of its own.
"""

import asyncio
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from api.bookings.holds import end
from api.context import Context
from sql import holds, idempotency, sync
from sql.pms import brevity

log = structlog.get_logger()

_PERIOD = 5.0
ANSWER_DAYS = 7
"""For how long an answer is repeated to its Idempotency-Key, and what was not booked is remembered."""
_BATCH = 500
_BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


async def keep_sweeping(context: Context) -> None:
    """Sweep every few seconds until cancelled; a database that is away, or not migrated, is waited for."""
    while True:
        try:
            await sweep(context)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("sweep_failed", error=type(error).__name__)
        await asyncio.sleep(_PERIOD)


async def sweep(context: Context) -> int:
    """End every expired hold and forget a batch of old answers; returns how many holds it ended.

    A hold that the PMS's people are at, or that cannot be ended, is passed over until the next time.

    Raises:
        psycopg.Error: the database is away, or cannot say which holds are over.
        PoolTimeout: all connections are taken.
    """
    ended, passed = 0, set[UUID]()
    async with context.connection() as conn:
        while True:
            hold = None
            try:
                async with brevity.brief(), conn.transaction():
                    await brevity.act_as(conn, context.options.pms_user)
                    hold = await holds.take_expired(conn, passed)
                    if hold is None:
                        break
                    await end(conn, context, hold)
                ended += 1
            except psycopg.Error as error:
                if hold is None or conn.broken:
                    raise
                passed.add(hold.id)
                if not isinstance(error, _BUSY):
                    log.warning("hold_not_ended", hold=str(hold.id), error=type(error).__name__)
        await idempotency.forget(conn, days=ANSWER_DAYS, limit=_BATCH)
        await sync.forget(conn, days=ANSWER_DAYS, limit=_BATCH)
    return ended
