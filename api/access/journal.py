"""The audit log, and when each key was used last: written in batches, beside the requests."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import islice

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from api.metrics import AUDIT_LOST
from sql import access
from sql.access import Audited
from sql.pool import Pool

log = structlog.get_logger()

_EVERY = 1.0
_MOST = 20_000
_BATCH = 1_000
_FORGET_EVERY = 3600.0
_PATIENCE = 5.0
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, UnicodeError)
"""What says that a line cannot be written, now or later."""


class Journal:
    """Keeps lines until they are written.

    While the database is away for long, the oldest are lost; a line that it refuses is lost alone. Either is logged
    and counted.

    Args:
        pool: to write with.
        used: key id → last use, emptied as it is written.
        days: for how long the audit log is kept.
    """

    def __init__(self, pool: Pool, used: dict[str, datetime], days: int) -> None:
        self._pool = pool
        self._used = used
        self._days = days
        self._lines: deque[Audited] = deque()
        self._lost = 0
        self._writing = asyncio.Lock()

    def add(self, line: Audited) -> None:
        """Have a line written within about a second."""
        if len(self._lines) >= _MOST:
            self._lines.popleft()
            self._lost += 1
            AUDIT_LOST.labels("pushed_out").inc()
        self._lines.append(line)

    async def keep(self) -> None:
        """Write every second until cancelled, and then what is left."""
        loop = asyncio.get_running_loop()
        forget_at = 0.0
        try:
            while True:
                await asyncio.sleep(_EVERY)
                await self._try(self.write)
                if loop.time() >= forget_at:
                    forget_at = loop.time() + _FORGET_EVERY
                    await self._try(self.forget)
        finally:
            # A task of its own: this one is cancelled, and a pool takes no part in that.
            await asyncio.wait({asyncio.create_task(self._try(self.write))}, timeout=5)

    async def write(self) -> None:
        """Write all that was added.

        Raises:
            psycopg.Error, PoolTimeout: it is kept for the next time.
        """
        async with self._writing:
            await self._write_all()

    async def _write_all(self) -> None:
        while self._lines:
            await self._write(list(islice(self._lines, _BATCH)))
        if self._used:
            used = dict(self._used)
            async with self._pool.connection(timeout=_PATIENCE) as conn:
                await access.used_keys(conn, used)
            for key_id, at in used.items():
                if self._used.get(key_id) == at:
                    del self._used[key_id]
        if self._lost:
            log.error("audit_lost", lines=self._lost)
            self._lost = 0

    async def _write(self, lines: Sequence[Audited]) -> None:
        """Write the oldest lines; where the database refuses some, halve them until the one it refuses is alone."""
        try:
            async with self._pool.connection(timeout=_PATIENCE) as conn:
                await access.audit(conn, lines)
        except _REFUSED as error:
            if len(lines) > 1:
                half = len(lines) // 2
                await self._write(lines[:half])
                await self._write(lines[half:])
                return
            # What the error says is left out, for it quotes the line.
            log.error("audit_refused", error=type(error).__name__, request_id=lines[0].request_id)
            AUDIT_LOST.labels("refused").inc()
        for line in lines:
            # It may have been pushed out while it was being written.
            if self._lines and self._lines[0] is line:
                self._lines.popleft()

    async def forget(self) -> None:
        """Delete lines that are older than `days`."""
        async with self._pool.connection(timeout=_PATIENCE) as conn:
            while await access.forget_audit(conn, self._days, _BATCH) == _BATCH:
                pass

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("journal_waits", error=type(error).__name__, lines=len(self._lines))
