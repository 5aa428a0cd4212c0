"""Keeping the attempts' partitions: made three days ahead, dropped after fourteen."""

from datetime import timedelta

from sql import attempts
from sql.pool import Pool

_AHEAD = timedelta(days=3)
_KEPT = timedelta(days=14)


async def maintain(pool: Pool) -> None:
    """Make the partitions of today and the next three days, and drop those that are over fourteen days old.

    Harmless to run at any time, by any number of workers: one of them does it.

    Raises:
        psycopg.errors.LockNotAvailable: somebody held the table too long; the next run goes on.
    """
    async with pool.connection() as conn, attempts.alone(conn) as mine:
        if not mine:
            return
        today = await attempts.today(conn)
        known = await attempts.partitions(conn)
        days = {partition.day for partition in known if partition.attached}
        for ahead in range(_AHEAD.days + 1):
            if (day := today + timedelta(days=ahead)) not in days:
                await attempts.create(conn, day)
        for partition in known:
            if partition.day < today - _KEPT:
                await attempts.drop(conn, partition)
