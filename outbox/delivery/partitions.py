"""Keeping the attempts' partitions: made three days ahead, dropped after fourteen."""

from datetime import timedelta

from sql.partitions import Daily, today
from sql.pool import Pool

ATTEMPTS = Daily("attempt", lambda day: day)
_DAYS_AHEAD = 3
_KEPT = timedelta(days=14)


async def maintain(pool: Pool) -> None:
    """Make the partitions of today and the next three days, and drop those that are over fourteen days old.

    Harmless to run at any time, by any number of workers: one of them does it.

    Raises:
        psycopg.errors.LockNotAvailable: somebody held the table too long; the next run goes on.
    """
    async with pool.connection() as conn, ATTEMPTS.alone(conn) as mine:
        if not mine:
            return
        await ATTEMPTS.make(conn, ahead=_DAYS_AHEAD)
        oldest = await today(conn) - _KEPT
        for partition in await ATTEMPTS.partitions(conn):
            if partition.day < oldest:
                await ATTEMPTS.drop(conn, partition)
