"""Sending to one endpoint what is ready, at the pace that it can take, and what becomes of each message."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

from aiolimiter import AsyncLimiter

from outbox.delivery.compose import Message
from outbox.delivery.lease import Lease
from outbox.delivery.ledger import Ledger
from outbox.delivery.monitor import Monitor
from outbox.delivery.pace import Pace
from outbox.delivery.sender import Sender, dispatch
from sql.delivery import Claim, Target

_NOTICEABLE = 0.05


@dataclass(frozen=True, slots=True)
class Leased:
    """A message whose keys are claimed under `token`.

    term: of the worker's lease before they were; probing: it finds out whether the endpoint is back.
    """

    message: Message
    token: UUID
    term: int
    probing: bool = False

    @property
    def claims(self) -> list[Claim]:
        """The keys it carries."""
        return [part.claim for part in self.message.parts]


class Lanes:
    """Two queues of messages and the tasks that send them, taking turns: what changed just now, and the rest.

    So a first sync, or all that piled up during an outage, slows live changes down by half and no more.

    Attributes:
        live: what changed just now.
        backlog: the rest.
        broken: an error that nobody foresaw, for the pump to raise.
    """

    def __init__(
        self,
        *,
        target: Target,
        sender: Sender,
        ledger: Ledger,
        monitor: Monitor,
        pace: Pace,
        lease: Lease,
        ended: Callable[[], None],
    ) -> None:
        self.live: deque[Leased] = deque()
        self.backlog: deque[Leased] = deque()
        self.broken: BaseException | None = None
        self._target = target
        self._sender = sender
        self._ledger = ledger
        self._monitor = monitor
        self._pace = pace
        self._lease = lease
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._live_next = True
        self._closed = False
        self._admitting: set[asyncio.Task[None]] = set()
        self._limiter = AsyncLimiter(1, 1)
        self._rate: float | None = None

    @property
    def busy(self) -> int:
        """Messages on their way, those of others of this worker's that send to the same endpoint too."""
        return self._lease.shares.busy[self._target.id]

    @property
    def waiting(self) -> int:
        """Messages that wait for a lane."""
        return len(self.live) + len(self.backlog)

    def open(self) -> None:
        """Send what is ready, as far as the pace allows."""
        free = self._pace.lanes(time.monotonic()) - self.busy
        for _ in range(min(free, self.waiting)):
            lane = asyncio.create_task(self._lane())
            self._tasks.add(lane)
            self._lease.shares.busy[self._target.id] += 1
            lane.add_done_callback(self._notice)

    def put_back(self) -> None:
        """Send nothing of what is ready."""
        for queue in (self.live, self.backlog):
            while queue:
                leased = queue.popleft()
                self._ledger.release(leased.token, leased.claims)

    def close(self) -> None:
        """Begin no send any more."""
        self._closed = True
        self.put_back()
        for lane in self._admitting:
            lane.cancel()

    def cut(self) -> None:
        """Cancel also what is on its way."""
        self.put_back()
        for lane in self._tasks:
            lane.cancel()

    async def finish(self, seconds: float) -> None:
        """Give what is on its way so many seconds, then cancel it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _lane(self) -> None:
        """Send one message after the other until none is ready, or fewer may be on their way."""
        while self.busy <= self._pace.lanes(time.monotonic()) and (leased := self._next()):
            await self._deliver(leased)
        # Not in the callback, which runs later: what becomes ready in between would find all lanes taken.
        self._leave(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next(self) -> Leased | None:
        first, second = (self.live, self.backlog) if self._live_next else (self.backlog, self.live)
        self._live_next = not self._live_next
        queue = first or second
        return queue.popleft() if queue else None

    def _notice(self, lane: asyncio.Task[None]) -> None:
        self._leave(lane)
        if not lane.cancelled() and lane.exception():
            self.broken = lane.exception()
        self._ended()

    def _leave(self, lane: asyncio.Task[None]) -> None:
        if lane in self._tasks:
            self._tasks.discard(lane)
            self._lease.shares.busy[self._target.id] -= 1

    async def _deliver(self, leased: Leased) -> None:
        try:
            await self._send(leased)
        except asyncio.CancelledError:
            self._ledger.release(leased.token, leased.claims)
            raise
        finally:
            self._ended()

    async def _send(self, leased: Leased) -> None:
        await self._admission()
        unwanted = (
            self._closed or not self._pace.lanes(time.monotonic()) or (self._monitor.tripped and not leased.probing)
        )
        if unwanted or not self._lease.holds(leased.term):
            self._ledger.release(leased.token, leased.claims)
            return
        sent = await dispatch(self._sender, leased.message, self._target)
        outcome, parts = sent.outcome, leased.message.parts
        self._ledger.attempted(sent.attempt)
        self._monitor.note(outcome, probing=leased.probing)
        match outcome.verdict:
            case "delivered":
                self._pace.took(sent.attempt.latency_ms / 1000)
                self._ledger.delivered(leased.token, leased.message)
            case "rejected" if leased.message.divisible:
                # Find the key that is not taken, so that the others go through.
                for half in leased.message.halves():
                    await self._send(replace(leased, message=half))
            case "rejected":
                for part in parts:
                    self._ledger.reject(leased.token, part, outcome.error)
            case _:
                for part in parts:
                    self._ledger.delay(leased.token, part, outcome.error)
                if self._monitor.tripped:
                    self.put_back()

    async def _admission(self) -> None:
        rate = self._pace.rate(time.monotonic())
        if not rate:
            return
        if self._rate is None or abs(rate - self._rate) > self._rate * _NOTICEABLE:
            self._rate, self._limiter = rate, AsyncLimiter(1, 1 / rate)
        lane = cast("asyncio.Task[None]", asyncio.current_task())
        self._admitting.add(lane)
        try:
            await self._limiter.acquire()
        finally:
            self._admitting.discard(lane)
