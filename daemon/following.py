"""Following the PMS for as long as the process lives: leads again after whatever passes by itself."""

import asyncio
import random
import time
from collections.abc import Callable

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from daemon.capture import Capture
from daemon.replication.errors import ConnectionLostError, ReplicationError, SlotActiveError
from daemon.replication.slot import check_server
from daemon.replication.stream import ReplicationStream
from daemon.settings import Settings
from sql.pool import Pool

log = structlog.get_logger()

_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_STANDBY_WAIT = 1.0


async def follow(settings: Settings, pool: Pool, changed: Callable[[], None]) -> None:
    """Lead the slot, or wait as a hot standby until its leader is gone; come back after every lost connection.

    Raises:
        ReplicationError: what no waiting heals, or has not healed within the settings' patience.
        DeposedError: another took the lead.
    """
    wait, last_lead = _FIRST_WAIT, time.monotonic()
    while True:
        started = time.monotonic()
        try:
            await _lead_once(settings, pool, changed)
        except SlotActiveError:
            log.info("standby", slot=settings.slot, reason="another Roomwire leads")
            last_lead, wait = time.monotonic(), _STANDBY_WAIT
        except ReplicationError as error:
            if time.monotonic() - started > _LONGEST_WAIT:
                last_lead, wait = time.monotonic(), _FIRST_WAIT
            if not error.heals or time.monotonic() - last_lead > settings.patience_seconds:
                raise
            log.warning("reconnecting", error=str(error), wait_seconds=round(wait, 1))
        # Several of us that lost the same server should not come back together.
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311
        wait = min(wait * 2, _LONGEST_WAIT)


async def _lead_once(settings: Settings, pool: Pool, changed: Callable[[], None]) -> None:
    dsn = settings.dsn.get_secret_value()
    try:
        async with pool.connection() as conn:
            # A replication connection that is refused does not say why; an ordinary one can.
            await check_server(conn)
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise ConnectionLostError(" ".join(str(error).split())) from error
    async with await ReplicationStream.connect(dsn, application="roomwire capture") as stream:
        try:
            await Capture(stream, pool, settings, changed).run()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
