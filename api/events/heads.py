"""Waiting for the feed to go on, however many wait, for the price of one small query every 50 ms."""

import asyncio

from sql import feed
from sql.pool import Pool

_PERIOD = 0.05
_PATIENCE = 2.0


class Heads:
    """Looks at the last position that was given for as long as somebody waits for a later one.

    Attributes:
        waiting: how many wait now.
        closed: whether the process ends: nobody waits any more.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._head = 0
        self._looking: asyncio.Task[None] | None = None
        self.waiting = 0
        self.closed = False

    async def beyond(self, position: int, seconds: float) -> None:
        """Wait until there is a later position, but so many seconds at most.

        Raises:
            psycopg.Error, PoolTimeout: the database cannot be asked.
        """
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                while self._head <= position and not self.closed:
                    # One who gives up must not end the look of the others.
                    await asyncio.shield(self._next_look())
        except TimeoutError:
            return
        finally:
            self.waiting -= 1

    async def close(self, _: object = None) -> None:
        """Let nobody wait any longer."""
        self.closed = True

    def _next_look(self) -> asyncio.Task[None]:
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_retrieve)
        return self._looking

    async def _look(self) -> None:
        try:
            await asyncio.sleep(_PERIOD)
            async with self._pool.connection(timeout=_PATIENCE) as conn:
                self._head = await feed.head(conn)
        finally:
            self._looking = None


def _retrieve(task: asyncio.Task[None]) -> None:
    """Take an error that nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()
