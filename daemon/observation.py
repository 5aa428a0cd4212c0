"""One look at what the database knows of us, and an observer who looks seldom and never keeps anybody waiting."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from daemon.replication import slot as slots
from daemon.replication.errors import ReplicationError
from daemon.replication.slot import SlotState
from outbox import endpoints
from sql import checkpoint, conflicts, feed, scopes, sync, watch
from sql.checkpoint import Checkpoint
from sql.endpoints import Overview
from sql.feed import Lagging, Standing
from sql.pool import Pool
from sql.scopes import Work
from sql.sync import Count
from sql.watch import Sender

_FRESH = 5.0
_SHARE = 20
"""A look that took a second is not repeated for this many: looking costs at most a twentieth of one session."""
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Observation:
    """One look.

    written: the end of the server's log, LSN; now: its clock; checkpoint_age: seconds; conflicts: nights, not over
    yet, of bookings of ours in rooms that another stay has, too; bookings: those that are not synced; feed,
    cursors: how far it is, and its readers.
    """

    slot_name: str
    slot: SlotState
    sender: Sender | None
    checkpoint: Checkpoint | None
    checkpoint_age: float | None
    written: int
    now: datetime
    work: list[Work]
    endpoints: list[Overview]
    conflicts: int
    bookings: list[Count]
    feed: Standing
    cursors: list[Lagging]

    @property
    def confirmed_lag(self) -> int:
        """Bytes of log that the slot has not been confirmed; 0 without a slot."""
        return self._behind(self.slot.confirmed_flush_lsn)

    @property
    def restart_lag(self) -> int:
        """Bytes of log that the server keeps for the slot; 0 without a slot."""
        return self._behind(self.slot.restart_lsn)

    def _behind(self, lsn: int | None) -> int:
        return max(self.written - lsn, 0) if lsn else 0


async def observe(conn: AsyncConnection, slot: str) -> Observation:
    """Look at everything that changes.

    Raises:
        psycopg.Error: the database cannot be asked.
        ReplicationError: so for the slot.
    """
    state = await slots.inspect(conn, slot)
    written, now = await checkpoint.written(conn)
    return Observation(
        slot_name=slot,
        slot=state,
        sender=await watch.sender(conn, slot),
        checkpoint=await checkpoint.read(conn, slot),
        checkpoint_age=await watch.checkpoint_age(conn, slot),
        written=written,
        now=now,
        work=await scopes.listed(conn),
        endpoints=await endpoints.overview(conn),
        conflicts=await conflicts.count(conn, slot),
        bookings=await sync.counts(conn),
        feed=await feed.standing(conn),
        cursors=await feed.lagging(conn),
    )


class Observer:
    """Looks when asked, at most every five seconds; several who ask share one look.

    Attributes:
        seen: the last look that succeeded, None before the first and after one that failed.
        error: why the last look failed.
        moved_at: monotonic seconds when the slot was first seen where it stands now.
    """

    def __init__(self, pool: Pool, slot: str) -> None:
        self._pool = pool
        self._slot = slot
        self._next = 0.0
        self._looking: asyncio.Task[None] | None = None
        self.seen: Observation | None = None
        self.error: str | None = None
        self.moved_at = time.monotonic()
        self._confirmed: int | None = None

    async def look(self) -> None:
        """Look again if it is time; waits two seconds at most, and notes where the database took longer."""
        if self._looking is None:
            if time.monotonic() < self._next:
                return
            self._looking = asyncio.create_task(self._look())
        done, _ = await asyncio.wait({self._looking}, timeout=_PATIENCE)
        if not done:
            self.seen, self.error = None, f"it has not answered for {_PATIENCE:.0f} s"

    async def _look(self) -> None:
        began: float | None = None  # Waiting for a session costs the database nothing.
        try:
            async with self._pool.connection(timeout=_PATIENCE) as conn:
                began = time.monotonic()
                self._note(await observe(conn, self._slot))
        except (psycopg.Error, ReplicationError, PoolTimeout) as error:
            self.seen, self.error = None, " ".join(str(error).split())
        finally:
            ended = time.monotonic()
            self._next = ended + (max(_FRESH, _SHARE * (ended - began)) if began else _FRESH)
            self._looking = None

    def _note(self, seen: Observation) -> None:
        if self._confirmed != seen.slot.confirmed_flush_lsn:
            self._confirmed, self.moved_at = seen.slot.confirmed_flush_lsn, time.monotonic()
        self.seen, self.error = seen, None
