"""One endpoint's delivery: claim, compose, send, write down, and again."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import structlog

from outbox.delivery.alarm import Alarm
from outbox.delivery.intake import Intake
from outbox.delivery.lanes import Lanes, Leased
from outbox.delivery.lease import Lease
from outbox.delivery.ledger import Ledger
from outbox.delivery.monitor import Monitor
from outbox.delivery.pace import Pace
from outbox.delivery.sender import Sender
from outbox.delivery.steady import unhurried
from sql.delivery import Claim, Standing, Target
from sql.pool import Pool

_GRACE = 3.0
_GATHER = 0.02
_TOGETHER = 25
"""Keys to claim at once of an engine that fetches all hotels or room types by one call."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in seconds.

    lease: after which others take what a worker had that is not heard of; send and connect: what one send may
    take; poll: between looks at the database; drain: for sends in flight when stopping.
    """

    lease: float = 10.0
    send: float = 15.0
    connect: float = 3.0
    poll: float = 1.0
    drain: float = 10.0


class Pump:
    """Delivers to one endpoint. Other endpoints' troubles are none of its own.

    Attributes:
        target: the endpoint as it was when this began.
        retired: it shall take in nothing more.
    """

    def __init__(self, pool: Pool, sender: Sender, target: Target, lease: Lease, timing: Timing) -> None:
        self.target = target
        self.retired = False
        self._lease = lease
        self._timing = timing
        self._ledger = Ledger(pool, target)
        self._intake = Intake(
            pool, sender=sender, target=target, lease=lease, ledger=self._ledger, again=timing.poll
        )
        self._monitor = Monitor(pool, target)
        share = partial(lease.lanes, target.id, target.concurrency)
        least = _TOGETHER if target.format == "cache-refresh" else 1
        self._pace = Pace(target.concurrency, target.rate_per_second, share=share, least=least)
        self._lanes = Lanes(
            target=target,
            sender=sender,
            ledger=self._ledger,
            monitor=self._monitor,
            pace=self._pace,
            lease=lease,
            ended=self._wake,
        )
        self._turn = asyncio.Event()
        self._ended = asyncio.Event()
        self._closing = False
        self._fresh = False
        self._due: int | None = None
        self._beat = False
        self._alarm = Alarm(self.hint)

    def poke(self, standing: Standing, asked: float) -> None:
        """Take in what the last look at the database found. asked: when it was made (monotonic seconds)."""
        self._monitor.learn(standing.health, open_=standing.open, as_of=asked)
        paced_at = time.monotonic() - standing.paced_for
        self._pace.adjust(pace=standing.health.pace, paced_at=paced_at)
        self._ended.set()
        if standing.open:
            self._find(standing.place)
            self._fresh = self._fresh or standing.ripe
            self._beat = standing.heartbeat
        if standing.ripens is not None:
            self._alarm.ring_in(standing.ripens)
        self._turn.set()

    def hint(self) -> None:
        """Something was marked, perhaps for this endpoint."""
        if self._monitor.open:
            self._fresh = True
            self._turn.set()

    def share(self) -> None:
        """Keep to the lanes that are this worker's now."""
        if not self._pace.lanes(time.monotonic()):
            self._lanes.put_back()
        self._wake()

    def cut(self) -> None:
        """Cancel what is on its way: others may send the same from now on."""
        self._lanes.cut()

    async def run(self) -> None:
        """Deliver until cancelled.

        If `retired` is set by then, the sends in flight get `timing.drain` seconds. What came of them is written
        down either way, unless the database is away: then the keys are sent again.
        """
        settling = asyncio.create_task(self._keep_settling())
        settling.add_done_callback(lambda _: self._turn.set())
        try:
            while True:
                await self._turn.wait()
                self._turn.clear()
                if self._lanes.broken:
                    raise self._lanes.broken
                if settling.done():
                    settling.result()
                await unhurried(self._refill(), _GRACE)
        finally:
            await self._drain(settling)

    def _wake(self) -> None:
        self._turn.set()
        self._ended.set()

    def _find(self, place: int | None) -> None:
        """Note that there is something to claim from this place in the queue on."""
        if place is not None:
            self._due = place if self._due is None else min(self._due, place)

    async def _keep_settling(self) -> None:
        """Write down what came of sends, beside claiming and sending: what ends meanwhile is written together."""
        while not (self._closing and not self._ledger):
            await self._ended.wait()
            self._ended.clear()
            due = await self._ledger.settle()
            if due.wait is not None:
                self._alarm.ring_in(due.wait)
            self._find(due.place)
            self._fresh = self._fresh or due.fresh
            self._turn.set()
            if await self._monitor.tell():
                self._find(0)
                self._turn.set()
            if self._ledger:
                self._ended.set()
            if self._lanes.waiting and not self._closing:
                # Under load fewer and larger writes: nobody waits for them.
                await asyncio.sleep(_GATHER)

    async def _drain(self, settling: asyncio.Task[None]) -> None:
        self._lanes.close()
        self._ended.set()
        await self._lanes.finish(self._timing.drain if self.retired else 0)
        self._closing = True
        self._alarm.stop()
        self._ended.set()
        _, late = await asyncio.wait({settling}, timeout=_GRACE)
        if late:
            settling.cancel()
            self._ledger.lose(self._lease)
            _log.error("outcomes_not_written", endpoint=self.target.name, remedy="none needed: it is sent again")
        else:
            settling.result()

    async def _refill(self) -> None:
        if self.retired or not self._lease.held:
            return
        self._lanes.open()
        if not self._monitor.open or not self._pace.lanes(time.monotonic()):
            return
        if self._beat:
            self._beat = False
            if beat := await self._intake.heartbeat():
                self._lanes.live.append(beat)
                self._lanes.open()
        if self._monitor.known.status == "paused":
            await self._probe()
            return
        if self._fresh and self._wants(len(self._lanes.live)):
            self._fresh = False
            await self._claim(None)
        if self._due is not None and self._wants(len(self._lanes.backlog)):
            place, self._due = self._due, None
            await self._claim(place)

    def _wants(self, ready: int) -> bool:
        """Whether to claim more though so many messages are ready."""
        now = time.monotonic()
        if self._monitor.tripped:
            return False
        if self._pace.slow:
            return not ready and self._lanes.busy < self._pace.lanes(now)
        return ready < max(self._pace.lanes(now), min(self._pace.size(now), self._pace.room(now)) // 2)

    async def _probe(self) -> None:
        """Send one message, if no other worker does, to find out whether the endpoint is back."""
        if self._lanes.busy or (self._due is None and not self._fresh):
            return
        self._monitor.open = self._fresh = False
        self._due = None
        token, term = uuid4(), self._lease.term
        claimed = await self._intake.claim(token, 1, 0)
        if claimed is None:
            self._monitor.open = True
            self._claim_later(0)
            return
        kept = 1 if claimed.probing else 0
        self._ledger.release(token, claimed.claims[kept:])
        sent = await self._take(claimed.claims[:kept], token, term, live=True, probing=True)
        if claimed.probing and not sent:
            await self._monitor.again()

    async def _claim(self, place: int | None) -> None:
        """Make ready what comes next in the queue from a place on, or what was marked just now."""
        size = self._pace.size(time.monotonic())
        token, term = uuid4(), self._lease.term
        claimed = await self._intake.claim(token, size, place)
        if claimed is None:
            self._claim_later(place)
            return
        if claimed.more:
            self._fresh = True
            self._turn.set()
        if len(claimed.claims) >= size:
            # From here on: what was claimed before is dead weight at the head of the queue.
            if place is None:
                self._fresh = True
            else:
                self._find(claimed.claims[0].place)
            self._turn.set()
        if claimed.paused:
            self._ledger.release(token, claimed.claims)
            self._ended.set()
            if claimed.probing:
                await self._monitor.again()
        else:
            await self._take(claimed.claims, token, term, live=place is None)

    def _claim_later(self, place: int | None) -> None:
        asyncio.get_running_loop().call_later(self._timing.poll, self._retry, place)

    def _retry(self, place: int | None) -> None:
        """Claim what could not be claimed; what was marked just now may be older than that by then."""
        self._fresh = self._fresh or place is None
        self._find(place or 0)
        self._turn.set()

    async def _take(self, claims: list[Claim], token: UUID, term: int, *, live: bool, probing: bool = False) -> int:
        """Make messages of claimed keys; returns how many there are to send."""
        messages = await self._intake.compose(claims, token)
        room = self._pace.room(time.monotonic())
        for message in messages[room:]:
            self._ledger.release(token, [part.claim for part in message.parts])
            self._find(min(part.claim.place for part in message.parts))
        queue = self._lanes.live if live else self._lanes.backlog
        queue.extend(Leased(message, token, term, probing) for message in messages[:room])
        self._lanes.open()
        if self._ledger:
            self._ended.set()
        return len(messages)
