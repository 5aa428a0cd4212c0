"""Capture: from the replication stream to durable documents. This is the main path; it reads top to bottom.

    frames ─▶ decoder ─▶ transactions ─▶ visible? ─▶ one transaction: checkpoint + documents + marks ─▶ confirm

Two tasks share the work: one reads and decodes, the other projects what has arrived meanwhile, so that batches grow
by themselves under load and nothing ever waits for a timer. The slot is confirmed only up to the stored checkpoint.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from psycopg import AsyncConnection

from daemon.leadership import Lead, take_lead
from daemon.metrics import BATCH_KEYS, BATCH_SECONDS, COMMIT_TO_DOCUMENT_SECONDS
from daemon.persistence import Persistence, transacting
from daemon.progress import BEAT_SECONDS, Progress
from daemon.relations import Relations
from daemon.replication import frames
from daemon.replication.stream import ReplicationStream
from daemon.settings import Settings
from daemon.transactions import Assembler, Pending, Transaction
from outbox.dirty import Dirty
from outbox.projector import Projected, project
from outbox.resync import project_page
from sql import checkpoint, scopes
from sql.pms import tables
from sql.pool import Pool
from sql.projection import Frame
from sql.scopes import Work

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How often durable work that others put on the list, and midnight, are looked for."""
LONG_BATCH_SECONDS = 0.15
"""A batch reads the PMS's tables in one transaction; creating a hotel has to wait for it, so it stays short."""

# While so many are decoded the database's answer has to wait, a dozen times for a batch: half a millisecond each.
_FRAMES_AT_ONCE = 16
_SMALLEST_BATCH, _LARGEST_BATCH = 500, 20_000
_HIDDEN_FIRST, _HIDDEN_MOST = 0.001, 0.25


class _HiddenError(Exception):
    """A transaction of the batch is not visible yet: nothing of the batch is written."""


class Capture:
    """One leadership: from taking the lead of the slot until the stream ends.

    Args:
        stream: a new replication connection.
        pool: where documents are written.
        settings: slot, publication, time zone, agent, patience.
        changed: called after documents have changed, to wake delivery.
        progress: where it is noted what is done; it outlives this leadership.
    """

    def __init__(
        self,
        stream: ReplicationStream,
        pool: Pool,
        settings: Settings,
        changed: Callable[[], None],
        progress: Progress,
    ) -> None:
        self.progress = progress
        self._stream = stream
        self._settings = settings
        self._changed = changed
        self._persistence = Persistence(pool, settings.patience_seconds)
        self._relations = Relations()
        self._pending = Pending()
        self._assembler = Assembler()
        self._limit = _SMALLEST_BATCH
        self._work_left = True
        self._hidden_wait = 0.0
        self._working = False
        self._heard: datetime | None = None

    async def run(self) -> None:
        """Lead until the stream ends or another takes over.

        Raises:
            ReplicationError: the stream cannot start, or has ended.
            DeposedError: another leads.
            psycopg.Error: the database has been out of reach longer than the patience.
        """
        led = self.progress.epoch, self.progress.checkpoint_lsn
        lead = await take_lead(self._stream, self._persistence, self._relations, self._settings, led)
        self._epoch = lead.checkpoint.epoch
        self._frame = Frame(today=lead.checkpoint.horizon, agent=self._settings.agent)
        self._confirmed(lead.checkpoint.end_lsn)
        self.progress.epoch = self._epoch
        self.progress.become("leading")
        log.info("leading", slot=self._settings.slot, epoch=self._epoch)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(lead))
            tasks.create_task(self._project())

    async def _read(self, lead: Lead) -> None:
        """Receive and decode for ever; transactions that the checkpoint covers already are left out."""
        covered = lead.checkpoint.end_lsn
        while True:
            for data in await self._stream.read(_FRAMES_AT_ONCE):
                payload = frames.payload(data)
                if payload is None:
                    self._assembler.idle(frames.parse(data).wal_end)
                    continue
                transaction = self._assembler.feed(lead.decoder.decode(payload))
                if transaction is not None and transaction.end_lsn > covered:
                    self._receive(transaction)
            await self._pending.room()

    def _receive(self, transaction: Transaction) -> None:
        self.progress.transactions += 1
        self.progress.changes += transaction.changes
        self._heard = datetime.fromtimestamp(transaction.committed_at, UTC)
        if transaction.beat is not None:
            self.progress.beat(transaction.beat, time.time())
        self._pending.add(transaction)

    async def _project(self) -> None:
        """Turn what has arrived into documents for ever; with nothing to do, keep the checkpoint moving."""
        next_beat = next_look = 0.0
        while True:
            window = self._pending.window(self._limit)
            if window and await self._batch(window):
                self._hidden_wait = 0.0
            elif not self._work_left:
                await self._pending.arrival(self._patience(bool(window)))
            if self._work_left:
                await self._page()
            now = time.monotonic()
            if now >= next_look:
                next_look = now + LOOK_SECONDS
                await self._look()
            if now >= next_beat:
                next_beat = now + BEAT_SECONDS
                await self._beat()

    def _patience(self, hidden: bool) -> float:
        """Seconds to wait for an arrival: short while a commit is not visible yet, longer each time."""
        if not hidden:
            return LOOK_SECONDS
        self._pending.quiet()
        self._hidden_wait = min(max(self._hidden_wait * 2, _HIDDEN_FIRST), _HIDDEN_MOST)
        return self._hidden_wait

    async def _batch(self, window: list[Transaction]) -> bool:
        """Project the window's visible transactions; returns whether there were any."""
        started = time.monotonic()
        visible = window
        if any(t.hidden or t.unknown for t in window):
            visible = await self._persistence.run(lambda conn: self._visible(conn, window))
        self.progress.waiting = len(window) - len(visible)
        if not visible:
            return False
        dirty = Dirty()
        for transaction in visible:
            dirty.update(transaction.keys())
        reached = self._pending.reached(visible)
        projected = await self._persistence.run(lambda conn: self._write(conn, dirty, reached, visible))
        if projected is None:
            return await self._batch(window)
        self._pending.finish(visible)
        self._work_left = self._work_left or bool(dirty.scopes)
        self._note(projected, reached)
        seconds = time.monotonic() - started
        self._measure(len(dirty), seconds, visible[0].committed_at)
        self._adapt(sum(t.size for t in visible), seconds)
        return True

    async def _visible(self, conn: AsyncConnection, window: list[Transaction]) -> list[Transaction]:
        """A commit is sent when it is flushed and seen a little later: what is not seen yet waits."""
        hidden = await checkpoint.invisible(conn, [t.xid for t in window])
        self._hide(window, hidden)
        visible = [t for t in window if t.xid not in hidden]
        await self._relations.name_unknown(conn, visible)
        return visible

    def _hide(self, window: list[Transaction], hidden: set[int]) -> None:
        found = [t for t in window if t.xid in hidden]
        self.progress.invisible += sum(not t.hidden for t in found)
        self._pending.hide(found)

    async def _write(
        self, conn: AsyncConnection, dirty: Dirty, reached: Transaction | None, visible: list[Transaction]
    ) -> Projected | None:
        """Write the documents and the checkpoint; nothing and None if not all is visible after all."""
        newest = max(t.committed_at for t in visible)
        committed_at = datetime.fromtimestamp(newest, UTC)

        async def begun() -> None:
            if hidden := await taken.hidden():
                self._hide(visible, hidden)
                raise _HiddenError

        try:
            async with transacting(conn):
                # Nearly always all are visible by now. The answer is looked at once something else has to be waited
                # for: what was read before that is undone where one is not.
                taken = await checkpoint.take(
                    conn,
                    self._settings.slot,
                    self._epoch,
                    xids=[t.xid for t in visible],
                    end_lsn=reached.end_lsn if reached else None,
                    committed_at=committed_at,
                )
                return await project(conn, dirty, replace(self._frame, committed_at=committed_at), begun)
        except _HiddenError:
            return None

    def _note(self, projected: Projected, reached: Transaction | None) -> None:
        self.progress.documents.update(projected.counts())
        if reached is not None:
            self._confirmed(reached.end_lsn)
        if projected.total:
            self._changed()

    def _measure(self, keys: int, seconds: float, oldest_commit: float) -> None:
        self.progress.keys += keys
        BATCH_KEYS.observe(keys)
        BATCH_SECONDS.observe(seconds)
        COMMIT_TO_DOCUMENT_SECONDS.observe(max(time.time() - oldest_commit, 0.0))

    def _adapt(self, size: int, seconds: float) -> None:
        if seconds > LONG_BATCH_SECONDS:
            self._limit = max(self._limit // 2, _SMALLEST_BATCH)
        elif size >= self._limit and seconds < LONG_BATCH_SECONDS / 2:
            self._limit = min(self._limit * 2, _LARGEST_BATCH)

    def _confirmed(self, lsn: int) -> None:
        """Note the stored checkpoint; the server may forget what lies before it."""
        self.progress.checkpoint_lsn = lsn
        self._stream.send_status(max(lsn, self._assembler.position), lsn, lsn)

    async def _page(self) -> None:
        """Do one page of durable work."""
        work = await self._persistence.run(self._write_page)
        self._work_left = work is not None
        if work is not None and not self._working:
            log.info("work_begun", kind=work.kind, hotel=work.hotel_id, reason=work.reason)
        elif work is None and self._working:
            log.info("work_done")
        self._working = self._work_left
        self._changed()

    async def _write_page(self, conn: AsyncConnection) -> Work | None:
        async with transacting(conn):
            await checkpoint.hold(conn, self._settings.slot, self._epoch)
            return await project_page(conn, self._frame)

    async def _look(self) -> None:
        """Notice work that others put on the list, and a new day."""

        async def look(conn: AsyncConnection) -> bool:
            today = await tables.today(conn, self._settings.time_zone)
            if today > self._frame.today:
                async with conn.transaction():
                    await checkpoint.hold(conn, self._settings.slot, self._epoch)
                    await checkpoint.move_horizon(conn, self._settings.slot, self._epoch, today)
                    await scopes.add(conn, "horizon", None, "midnight")
                self._frame = replace(self._frame, today=today)
                log.info("new_day", today=str(today))
            return await scopes.any_left(conn)

        self._work_left = await self._persistence.run(look) or self._work_left

    async def _beat(self) -> None:
        """Measure the lag, and with nothing in flight move the checkpoint past what named no key."""
        position = self._assembler.position if self._pending.empty else 0

        async def beat(conn: AsyncConnection) -> None:
            if position > self.progress.checkpoint_lsn:
                await checkpoint.advance(conn, self._settings.slot, self._epoch, position, self._heard)
            await checkpoint.beat(conn, f"{time.time():.6f}")

        await self._persistence.run(beat)
        if position > self.progress.checkpoint_lsn:
            self._pending.finish([])
            self._confirmed(position)
