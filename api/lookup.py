"""Looking up in the database what every request depends on, without ever keeping the request waiting for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from sql.pool import Pool

T = TypeVar("T")

PATIENCE = 2.0
_PAUSE = 1.0
AWAY: Final = (
    psycopg.OperationalError,  # also a lock that was not to be had, and a statement that took too long
    psycopg.InterfaceError,
    PoolTimeout,
)
"""Errors that say that the database cannot be asked now."""


class AwayError(psycopg.OperationalError):
    """The database cannot be asked now."""


class Lookup:
    """Asks small questions. While the database is away, one caller at a time tries it and the others fail at once.

    One that neither answers nor hangs up counts as away. Attributes: pool: where the connections come from.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._away_until = 0.0

    @property
    def away(self) -> bool:
        """Whether asking now would be refused at once."""
        return time.monotonic() < self._away_until

    async def ask(self, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """The answer to a question, within two seconds.

        Raises:
            AwayError: the database cannot be asked.
            psycopg.Error: it refuses the question.
        """
        if self.away:
            raise AwayError("the database was away a moment ago")
        if self._away_until:
            self._away_until = time.monotonic() + PATIENCE + _PAUSE
        # Not cancelled where it stands: psycopg would first wait for the database to take notice.
        task = asyncio.create_task(self._put(question))
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await asyncio.shield(task)
        except (*AWAY, TimeoutError) as error:
            self._away_until = time.monotonic() + _PAUSE
            raise AwayError(f"the database is away: {type(error).__name__}") from error
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(_retrieve)
        self._away_until = 0.0
        return answer

    async def _put(self, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self.pool.connection(timeout=PATIENCE) as conn:
            return await question(conn)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Take an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
