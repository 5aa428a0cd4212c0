"""The feed's numberer: gives every new version of a document a position, once it is committed.

Whoever writes documents puts them on a queue in the same transaction. Positions given there would be seen in
another order than they were given in, and a reader that had gone on would miss the late ones. Any number of
processes may run this: they take turns.
"""

import asyncio
import contextlib
import time
from datetime import timedelta

import psycopg
import structlog
from psycopg.errors import CheckViolation
from psycopg_pool import PoolTimeout

from sql import feed
from sql.feed import EVENTS
from sql.partitions import today
from sql.pool import Pool

log = structlog.get_logger(__name__)

DAYS_AHEAD = 3
_PAUSE = 0.05
"""Seconds between two passes, at least: what changes meanwhile shares one, which costs about a millisecond."""
_SHARE = 4
"""A pass that took a second is followed by so many of pause: where there is much, less of it is left to tell."""
_POLL = 1.0
_RETRY = 5.0
_HOUR = 3600.0
_MINUTE = 60.0


class Tail:
    """Where to begin to look in the queue, by ids.

    What was told leaves dead rows behind, which pile up while the PMS keeps a transaction open, and looking through
    them would take longer and longer. So a look begins after what was told a minute ago, for our transactions are
    shorter than that. Twice a minute at most, everything is looked at, whatever the clock says.
    """

    def __init__(self) -> None:
        self._told = self._minute_ago = self._older = 0
        self._next_minute = self._next_whole = 0.0

    def begin(self, now: float) -> int:
        """The id to look after; 0 looks at everything."""
        return 0 if now >= self._next_whole else self._older

    def end(self, after: int, seconds: float, told: int, now: float) -> None:
        """Note a look after an id that took so long and told ids up to `told`; whole ones take 1 % of the time."""
        self._told = max(self._told, told)
        if after == 0:
            self._next_whole = now + max(_MINUTE / 2, 100 * seconds)
        if now >= self._next_minute:
            self._older, self._minute_ago = self._minute_ago, self._told
            self._next_minute = now + _MINUTE


async def run_feed(pool: Pool, *, wake: asyncio.Event, days: int) -> None:
    """Number until cancelled, and keep so many days of events.

    `wake` is a hint that documents have changed; the queue is looked at every second anyway. The pool's sessions
    have to wait for the disk: a position that a crash takes back would be given twice.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep_days(pool, days))
        tasks.create_task(_number(pool, wake))


async def _number(pool: Pool, wake: asyncio.Event) -> None:
    tail = Tail()
    while True:
        wake.clear()
        began = time.monotonic()
        try:
            told = await number(pool, tail)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("feed_waits", error=" ".join(str(error).split()), wait_seconds=_RETRY)
            await asyncio.sleep(_RETRY)
            continue
        if told:
            await asyncio.sleep(max(_PAUSE, _SHARE * (time.monotonic() - began)))
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL):
                await wake.wait()


async def number(pool: Pool, tail: Tail) -> bool:
    """Make one pass; whether anything waited.

    Raises:
        psycopg.Error, PoolTimeout: the database is away, or not migrated yet.
    """
    began = time.monotonic()
    after = tail.begin(began)
    try:
        async with pool.connection() as conn:
            last, batches = await feed.number(conn, after)
    except CheckViolation:
        await maintain(pool, days=None)
        return True
    now = time.monotonic()
    tail.end(after, now - began, last, now)
    return batches > 0


async def _keep_days(pool: Pool, days: int) -> None:
    while True:
        try:
            await maintain(pool, days=days)
            wait = _HOUR
        except (psycopg.Error, PoolTimeout) as error:
            # Three days lie ahead, and positions that no partition takes make one at once.
            log.warning("feed_days_not_kept", error=" ".join(str(error).split()))
            wait = _MINUTE
        await asyncio.sleep(wait)


async def maintain(pool: Pool, *, days: int | None) -> None:
    """Make the partitions of today and three days ahead, and drop those over `days` days old (None: none).

    Harmless to run at any time, by any number of processes: one of them does it.

    Raises:
        psycopg.errors.LockNotAvailable: somebody held the table too long; the next run goes on.
    """
    async with pool.connection() as conn, EVENTS.alone(conn) as mine:
        if not mine:
            return
        await EVENTS.make(conn, ahead=DAYS_AHEAD)
        if days is None:
            return
        oldest = await today(conn) - timedelta(days=days)
        for partition in await EVENTS.partitions(conn):
            if partition.day < oldest:
                await feed.drop(conn, partition)
                log.info("feed_day_dropped", day=str(partition.day))
        await feed.forget(conn, days)
