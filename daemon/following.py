"""Following the PMS for as long as the process lives: leads again after whatever passes by itself."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import PoolTimeout

from daemon.capture import Capture
from daemon.check.refusal import refuse_if_wrong
from daemon.omissions import make_up, watch_publication
from daemon.progress import Progress
from daemon.replication import slot as slots
from daemon.replication.errors import (
    PublicationFaultyError,
    PublicationMissingError,
    ReplicationError,
    SlotActiveError,
    UnreachableError,
)
from daemon.replication.stream import ReplicationStream
from daemon.settings import Settings
from sql import checkpoint
from sql.checkpoint import DeposedError
from sql.pool import Pool, connect, end_if_cancelled

log = structlog.get_logger()

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_STANDBY_LOOK = 0.25
_FROZEN_AFTER = "-c wal_sender_timeout=15s"
"""A leader that has been silent for so long is dropped by the server; options in the DSN go before."""


async def follow(settings: Settings, pool: Pool, changed: Callable[[], None], progress: Progress) -> None:
    """Lead the slot, or wait as a hot standby until its leader is gone; come back after every lost connection.

    Raises:
        ReplicationError: what no waiting heals, or has not healed within the settings' patience.
        DeposedError: another took the lead from this process.
    """
    wait, last_lead = _FIRST_WAIT, time.monotonic()
    while True:
        end_if_cancelled()
        try:
            await _lead_once(settings, pool, changed, progress)
        except SlotActiveError:
            await _stand_by(settings, pool, progress)
            last_lead, wait = time.monotonic(), _FIRST_WAIT
            continue
        except ReplicationError as error:
            end_if_cancelled()
            # Not how long it took: a server that is gone takes long to say so.
            if progress.leads and time.time() - progress.since > _LONGEST_WAIT:
                last_lead, wait = time.monotonic(), _FIRST_WAIT
            if not error.heals or time.monotonic() - last_lead > settings.patience_seconds:
                raise
            reason = " ".join(str(error).split())
            progress.become("reconnecting", reason)
            log.warning("reconnecting", error=reason, wait_seconds=round(wait, 1))
        # Several of us that lost the same server should not come back together.
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311
        wait = min(wait * 2, _LONGEST_WAIT)


async def _stand_by(settings: Settings, pool: Pool, progress: Progress) -> None:
    """Wait until nobody streams the slot: asking costs the server less than trying to stream it.

    Raises:
        DeposedError: another leads, and it was this process that led before.
    """
    active = True
    # Whatever goes wrong here goes wrong again, with its reason, for whoever tries to lead.
    with contextlib.suppress(psycopg.OperationalError, PoolTimeout, ReplicationError):
        async with pool.connection() as conn:
            stored = await checkpoint.read(conn, settings.slot)
            if stored is not None and 0 < progress.epoch < stored.epoch:
                raise DeposedError(settings.slot)
            if progress.become("standby"):
                log.info("standby", slot=settings.slot, reason="another Roomwire leads")
            while active:
                await asyncio.sleep(_STANDBY_LOOK * random.uniform(0.8, 1.2))  # noqa: S311
                active = (await slots.inspect(conn, settings.slot)).active_pid is not None


async def _lead_once(settings: Settings, pool: Pool, changed: Callable[[], None], progress: Progress) -> None:
    dsn = settings.dsn.get_secret_value()
    try:
        # A replication connection that is refused does not say why, nor does a pool; an ordinary one can.
        async with await connect(dsn, application="capture check") as conn:
            await refuse_if_wrong(conn, settings)
    except psycopg.OperationalError as error:
        raise UnreachableError(str(error).partition("\n")[0]) from error
    options = f"{_FROZEN_AFTER} {conninfo_to_dict(dsn).get('options') or ''}"
    dsn = make_conninfo(dsn, options=options)
    try:
        async with await ReplicationStream.connect(dsn, application="roomwire capture") as stream:
            leadership = _lead(
                Capture(stream, pool, settings, changed, progress), watch_publication(pool, settings)
            )
            # A task of its own: Python 3.11's task groups leave the task that they fail in marked as cancelled.
            await asyncio.create_task(leadership)
    except (PublicationFaultyError, PublicationMissingError):
        if not await make_up(pool, settings):
            raise


async def _lead(capture: Capture, watching: Coroutine[None, None, None]) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watching)
            await capture.run()
    except BaseExceptionGroup as group:
        raise _cause(group) from group


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _cause(first) if isinstance(first, BaseExceptionGroup) else first
