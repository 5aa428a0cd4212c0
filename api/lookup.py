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
_GLANCE = 0.25
AWAY: Final = (
    psycopg.OperationalError,  # also a lock that was not to be had, and a statement that took too long
    psycopg.InterfaceError,
    PoolTimeout,
)
"""Errors that say that the database cannot be asked now."""


class AwayError(psycopg.OperationalError):
    """The database cannot be asked now."""


class Lookup:
    """Asks small questions. While the database is away, one question at a time tries it, the others fail at once.

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
        """The answer to a question: within two seconds, or a quarter of one while the database is known to be away.

        Raises:
            AwayError: the database cannot be asked.
            psycopg.Error: it refuses the question.
        """
        if self.away:
            raise AwayError("the database was away a moment ago")
        patience = PATIENCE
        if self._away_until:
            patience, self._away_until = _GLANCE, time.monotonic() + PATIENCE + _PAUSE
        # Not cancelled where it stands: psycopg would first wait for the database to take notice.
        task = asyncio.create_task(self._put(question))
        task.add_done_callback(self._note)
        ending = asyncio.get_running_loop().call_later(PATIENCE + _GLANCE, task.cancel)
        task.add_done_callback(lambda _: ending.cancel())
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(task)
        except (*AWAY, TimeoutError) as error:
            self._away_until = max(self._away_until, time.monotonic() + _PAUSE)
            raise AwayError(f"the database is away: {type(error).__name__}") from error
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _put(self, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self.pool.connection(timeout=PATIENCE) as conn:
            return await question(conn)

    def _note(self, task: asyncio.Task[Any]) -> None:
        """What a question tells of the database, also one that nobody waits for any more."""
        if task.cancelled():
            return
        away = isinstance(task.exception(), AWAY)
        self._away_until = time.monotonic() + _PAUSE if away else 0.0
