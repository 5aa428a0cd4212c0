"""The health of one endpoint as one worker sees it, and telling the other workers."""

import math
import random
import time
from functools import partial

import structlog
from psycopg import AsyncConnection

from outbox.delivery.breaker import PATIENCE, Seen, held, judge, urgent
from outbox.delivery.outcome import Outcome
from outbox.delivery.steady import steadily
from outbox.metrics import ENDPOINT_CHANGES
from sql import health
from sql.delivery import Target
from sql.health import Health
from sql.pool import Pool

_ORDER = ("healthy", "degraded", "paused", "disabled")
_SELDOM = 0.5
_NOTED_EVERY = 60.0
_log = structlog.get_logger(__name__)


class Monitor:
    """Collects what came of sends, and judges it under the endpoint's row.

    Attributes:
        known: how it was when last read or written.
        open: it may be sent to, as far as known; while it is paused that means: one message, to find out.
    """

    def __init__(self, pool: Pool, target: Target) -> None:
        self._pool = pool
        self._target = target
        self._seen, self._telling = Seen(), Seen()
        self._run = self._untold = 0
        self._told = 0.0
        self._noted = -_NOTED_EVERY
        self._as_of = -math.inf
        self.known = Health()
        self.open = False

    @property
    def tripped(self) -> bool:
        """Whether nothing more shall be sent, though the others may not know yet."""
        if not self.open or self.known.status == "paused" or held(self.known) or self._run >= PATIENCE:
            return True
        return any(seen.gone is not None or seen.asked is not None for seen in (self._seen, self._telling))

    def learn(self, known: Health, *, open_: bool, as_of: float) -> None:
        """Take what the database says, unless it was asked before this worker told it better.

        Asked later it is right whatever it says: a crash may have taken back what it was told last. `as_of`: when
        it was asked, in seconds of the monotonic clock.
        """
        if as_of < self._as_of and _earlier(known, self.known):
            return
        self.known, self.open, self._as_of = known, open_, max(as_of, self._as_of)
        self._run = min(self._run, known.failures + self._untold + self._seen.run)

    def note(self, outcome: Outcome, *, probing: bool) -> None:
        """A send has ended."""
        self._seen.note(outcome, probing=probing)
        self._run = self._run + 1 if self._seen.run else 0

    async def tell(self) -> bool:
        """Judge what came of sends if that is worth it; returns whether the endpoint has come back by that.

        However long the database takes.
        """
        now = time.monotonic()
        if not self._due(now):
            return False
        seen, self._seen, self._told = self._seen, Seen(), now
        self._telling, self._untold = seen, seen.run
        if seen.answered:
            self._noted = now
        found = await steadily(self._pool, partial(self._judge, seen=seen))
        self._telling, self._untold = Seen(), 0
        if found is None:
            return False
        before, after = found
        self.learn(after, open_=after.retry_at is None and not held(after), as_of=time.monotonic())
        self._announce(before, after)
        back = before.status == "paused" and after.status == "degraded"
        if back:
            await steadily(self._pool, partial(health.awaken, endpoint_id=self._target.id))
        return back

    async def again(self) -> None:
        """The probe that was this worker's was not sent: the next look finds it due."""
        self.open = False
        await steadily(self._pool, partial(health.again, endpoint_id=self._target.id))

    def _due(self, now: float) -> bool:
        seen, known = self._seen, self.known
        if held(known):
            return False
        if urgent(known, seen) or (seen.answered and now - self._noted >= _NOTED_EVERY):
            return True
        if now - self._told < _SELDOM:
            return False
        if known.status == "paused":
            return False
        return seen.failed or known.status == "degraded" or (seen.answered and known.failures > 0)

    async def _judge(self, conn: AsyncConnection, seen: Seen) -> tuple[Health, Health] | None:
        async with conn.transaction():
            found = await health.examine(conn, self._target.id)
            if found is None:
                return None
            before, now = found
            after = judge(before, seen, now, random.random())  # noqa: S311 - spreads probes
            if after != before or seen.answered:
                await health.record(conn, self._target.id, after, answered=seen.answered)
            return before, after

    def _announce(self, before: Health, after: Health) -> None:
        if before.status == after.status:
            return
        ENDPOINT_CHANGES.labels(self._target.name, after.status).inc()
        name, state = self._target.name, after.status
        if _ORDER.index(state) < _ORDER.index(before.status):
            _log.info("endpoint_better", endpoint=name, state=state, before=before.status)
        else:
            _log.warning("endpoint_worse", endpoint=name, state=state, before=before.status, reason=after.reason)


def _earlier(one: Health, other: Health) -> bool:
    """Whether one was read before a failure that the other knows of."""
    return other.failed_at is not None and (one.failed_at is None or one.failed_at < other.failed_at)
