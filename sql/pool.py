"""Connections to the PMS's database that can never get in its way.

Every session waits at most 400 ms for a lock (below PostgreSQL's deadlock_timeout of 1 s, so that the loser of a
deadlock is us and never the front desk), is bounded in time, and commits without waiting for a standby.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from select import POLLIN, poll

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg_pool import AsyncConnectionPool

from sql import savepoints

_LEFT_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)

_SESSION = {
    "lock_timeout": "400ms",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
    "synchronous_commit": "local",
    # A look that follows a lock has to see what was committed meanwhile, whatever the database's own default.
    "default_transaction_isolation": "read committed",
    "timezone": "UTC",
    "datestyle": "ISO",
    "search_path": "public",
    # Our queries look up a few keys in many partitions: planning one costs more than running it, a plan that was
    # made while a table was empty must not read it whole when it has grown, and compiling never pays.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
}

_BLANK = "\\ "
"""How a blank is written in libpq's options."""


class Pool(AsyncConnectionPool[AsyncConnection]):
    """Connections that are shared. A task that is cancelled while it uses one ends as cancelled."""

    async def getconn(self, timeout: float | None = None) -> AsyncConnection:  # noqa: ASYNC109 - psycopg's own signature
        """A connection whose session the server has not ended since it was used last, as far as is known here.

        Raises:
            PoolTimeout: none became free in time.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while _ended(conn := await super().getconn(deadline - time.monotonic())):
            await conn.close()
            await self.putconn(conn)
        return conn

    @asynccontextmanager
    async def connection(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's own signature
    ) -> AsyncIterator[AsyncConnection]:
        """A connection for the length of a block; `timeout` in seconds, as the pool's own.

        Raises:
            PoolTimeout: none became free in time.
        """
        try:
            async with super().connection(timeout) as conn:
                try:
                    yield conn
                finally:
                    # Where what is cancelled is done all the same, psycopg loses count of the pipelines that it has
                    # open, and whoever came next would find no answers: to him each question seems to have none.
                    if conn.pgconn.pipeline_status != PipelineStatus.OFF:
                        await conn.close()
                    elif conn.pgconn.transaction_status in _LEFT_OPEN:
                        # The pool would make the session forget what it has planned, which is most of the next try.
                        with contextlib.suppress(psycopg.Error):
                            await savepoints.abandon(conn)
        finally:
            end_if_cancelled()


def _ended(conn: AsyncConnection) -> bool:
    """Whether the server has spoken unasked: hardly ever to say anything else than that it has ended the session.

    A clock of the server may do so in the moment in which a transaction is committed, a restart at any time.
    """
    if conn.closed:
        return True
    reading = poll()
    reading.register(conn.fileno(), POLLIN)
    return bool(reading.poll(0))


def end_if_cancelled() -> None:
    """End what is being cancelled and was not told so, or told of an error instead: for loops that never end.

    Python 3.11's wait_for, which psycopg's pool waits with, forgets a cancellation that comes together with what it
    waited for. And a statement that fails while it is cancelled has its connection closed: who then tidies up on it
    meets an error, which a loop that waits such errors out would take for a reason to go on.

    Raises:
        asyncio.CancelledError: the current task is being cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def polite(dsn: str, *, application: str, **overrides: str) -> str:
    """The DSN with our session settings; `overrides` replaces or adds some of them.

    `application` is what the DBA sees in pg_stat_activity.
    """
    settings = _SESSION | overrides
    options = " ".join(f"-c {name}={value.replace(' ', _BLANK)}" for name, value in settings.items())
    return make_conninfo(
        dsn,
        options=options,
        application_name=f"roomwire {application}",
        connect_timeout=5,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=25_000,
    )


async def connect(dsn: str, *, application: str, **overrides: str) -> AsyncConnection:
    """One connection of ours, in autocommit: transactions are opened where they are meant."""
    return await AsyncConnection.connect(polite(dsn, application=application, **overrides), autocommit=True)


def make_pool(
    dsn: str,
    configure: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    /,
    *,
    application: str,
    size: int,
    **overrides: str,
) -> Pool:
    """A pool of at most `size` connections, in autocommit; open it with `async with`.

    configure: is done with each new one before anybody gets it.
    """
    return Pool(
        polite(dsn, application=application, **overrides),
        min_size=1,
        max_size=size,
        # What is said is always the same, and planning it costs more than running it: it is planned once.
        kwargs={"autocommit": True, "prepare_threshold": 0},
        configure=configure,
        open=False,
        timeout=30,
        # Each pause is twice the one before, until this is over and whoever asks next begins anew: with minutes it
        # would be minutes after the database is back that the pool took notice.
        reconnect_timeout=10,
        name=application,
    )
