"""One endpoint's delivery: claim, compose, send, write down, and again."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import cast
from uuid import UUID, uuid4

import structlog

from outbox.delivery.compose import Message, compose, digits, heartbeat, snapshot
from outbox.delivery.lease import Lease
from outbox.delivery.ledger import Ledger
from outbox.delivery.sender import Sender
from outbox.delivery.steady import PASSING, steadily, unhurried
from sql import delivery
from sql.delivery import Claim, Claimed, Standing, Target
from sql.pool import Pool

_MOST = 100
_GRACE = 3.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in seconds.

    lease: after which others send what a worker had that is heard of no more; send and connect: what one send may
    take; poll: between looks at the database; drain: for sends in flight when stopping.
    """

    lease: float = 10.0
    send: float = 15.0
    connect: float = 3.0
    poll: float = 1.0
    drain: float = 10.0


@dataclass(frozen=True, slots=True)
class Leased:
    """A message whose keys are claimed under `token`. probing: after an outage."""

    message: Message
    token: UUID
    probing: bool = False

    @property
    def claims(self) -> list[Claim]:
        """The keys it carries."""
        return [part.claim for part in self.message.parts]


class Pump:
    """Delivers to one endpoint. Other endpoints' troubles are none of its own.

    Attributes:
        target: the endpoint as it was when this began.
        retired: it shall take in nothing more.
    """

    def __init__(self, pool: Pool, sender: Sender, target: Target, lease: Lease, timing: Timing) -> None:
        self.target = target
        self._pool = pool
        self._sender = sender
        self._lease = lease
        self._timing = timing
        self._ledger = Ledger(pool, target)
        self._ready: deque[Leased] = deque()
        self._lanes: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Event()
        self._due: int | None = None
        self._beat = False
        self.retired = False
        self._broken: BaseException | None = None
        self._size = 2 * target.concurrency

    def poke(self, standing: Standing) -> None:
        """Tell what the last look at the database found."""
        self._ledger.failures = standing.failures
        if not standing.open:
            return
        self._find(0 if standing.ripe else standing.place)
        self._beat = standing.heartbeat
        self._turn.set()

    def _find(self, place: int | None) -> None:
        """Note that there is something to claim from this place in the queue on."""
        if place is not None:
            self._due = place if self._due is None else min(self._due, place)

    def cut(self) -> None:
        """Cancel what is on its way: others may send the same from now on."""
        self._put_back()
        for lane in self._lanes:
            lane.cancel()

    async def run(self) -> None:
        """Deliver until cancelled.

        If `retired` is set by then, the sends in flight get `timing.drain` seconds. What came of them is written
        down either way, unless the database is away: then the keys are sent again.
        """
        try:
            while True:
                await self._turn.wait()
                self._turn.clear()
                if self._broken:
                    raise self._broken
                await unhurried(self._take_turn(), _GRACE)
        finally:
            await self._drain()

    async def _take_turn(self) -> None:
        self._find(await self._ledger.settle())
        if not self.retired:
            await self._refill()

    async def _drain(self) -> None:
        self._put_back()
        settling = {asyncio.ensure_future(self._ledger.settle())}
        await asyncio.wait(self._lanes | settling, timeout=self._timing.drain if self.retired else 0)
        for lane in self._lanes:
            lane.cancel()
        if self._lanes:
            await asyncio.wait(self._lanes)
        self._put_back()
        settling.add(asyncio.ensure_future(self._ledger.settle()))
        done, late = await asyncio.wait(settling, timeout=_GRACE)
        for task in late:
            task.cancel()
            self._ledger.lose(self._lease)
            _log.error("outcomes_not_written", endpoint=self.target.name, remedy="none needed: it is sent again")
        for task in done:
            task.result()

    async def _refill(self) -> None:
        if self._beat:
            self._beat = False
            await self._claim_heartbeat()
        if not self._lease.held:
            return
        full = len(self._ready) >= max(self.target.concurrency, self._size // 2)
        if self._due is None or full or (self._ledger.failures and self._lanes):
            return
        place, self._due = self._due, None
        size = 1 if self._ledger.failures else self._size
        token = uuid4()
        claimed = await self._claim(token, size, place)
        if len(claimed.claims) >= size:
            # From here on: what was claimed before is dead weight at the head of the queue.
            self._find(claimed.claims[0].place)
        await self._take(claimed, token)

    async def _claim(self, token: UUID, size: int, place: int) -> Claimed:
        try:
            async with self._pool.connection() as conn:
                return await delivery.claim(
                    conn,
                    self.target.id,
                    worker=self._lease.worker,
                    token=token,
                    size=size,
                    lease=self._timing.lease,
                    place=place,
                )
        except BaseException as error:
            self._lease.lose(self.target.id, token)
            if not isinstance(error, PASSING):
                raise
            _log.warning("database_retry", error=str(error).strip(), wait_seconds=self._timing.poll)
            return Claimed([], failing=False, probing=False)

    async def _take(self, claimed: Claimed, token: UUID) -> None:
        claims = claimed.claims
        if claimed.failing:
            # The first try after an outage is one message, of one worker.
            kept = 1 if claimed.probing else 0
            self._ledger.release(token, claims[kept:])
            claims = claims[:kept]
        documents = [claim for claim in claims if claim.kind != "snapshot"]
        composed = compose(documents, guest_data=self.target.guest_data, max_bytes=self.target.max_bytes)
        self._ledger.acknowledge(token, composed.silent)
        snapshots = [await self._snapshot(claim) for claim in claims if claim.kind == "snapshot"]
        for message in composed.messages + snapshots:
            self._ready.append(Leased(message, token, claimed.probing))
        self._open_lanes()
        if self._ledger or (self._due is not None and len(self._ready) < self.target.concurrency):
            self._turn.set()

    async def _snapshot(self, claim: Claim) -> Message:
        first, last = digits(claim)
        read = partial(
            delivery.snapshot, endpoint_id=self.target.id, hotel_id=claim.hotel_id, first=first, last=last
        )
        return snapshot(claim, await steadily(self._pool, read))

    async def _claim_heartbeat(self) -> None:
        beat = await steadily(self._pool, partial(delivery.heartbeat, endpoint_id=self.target.id))
        if beat:
            message = heartbeat(beat.as_of, beat.behind)
            self._ready.append(Leased(message, uuid4(), beat.probing))
            self._open_lanes()

    def _open_lanes(self) -> None:
        for _ in range(min(self.target.concurrency - len(self._lanes), len(self._ready))):
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._notice)

    async def _lane(self) -> None:
        """Send one message after the other until none is ready."""
        while self._ready:
            await self._deliver(self._ready.popleft())
        # Not in the callback, which runs later: what becomes ready in between would find all lanes taken.
        self._lanes.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _notice(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if not lane.cancelled() and lane.exception():
            self._broken = lane.exception()
        self._turn.set()

    async def _deliver(self, leased: Leased) -> None:
        try:
            await self._send(leased)
        except asyncio.CancelledError:
            self._ledger.release(leased.token, leased.claims)
            raise
        finally:
            self._turn.set()

    async def _send(self, leased: Leased) -> None:
        if not self._lease.held:
            self._ledger.release(leased.token, leased.claims)
            return
        sent = await self._sender.send(leased.message)
        outcome, parts = sent.outcome, leased.message.parts
        self._ledger.note(sent.attempt, outcome, probing=leased.probing)
        match outcome.verdict:
            case "delivered":
                self._size = min(self._size + 1, _MOST)
                self._ledger.acknowledge(leased.token, [(part.claim, part.version) for part in parts])
                self._measure(leased.message)
            case "rejected" if len(parts) > 1:
                await self._send_halves(leased)
            case "rejected":
                for part in parts:
                    self._ledger.reject(leased.token, part, outcome.error)
            case _:
                self._ledger.release(leased.token, leased.claims, outcome.error)
                self._put_back()

    def _measure(self, message: Message) -> None:
        if documents := [part for part in message.parts if part.claim.kind != "snapshot"]:
            newest = max(part.version for part in documents)
            self._ledger.meter.delivered(
                len(documents), committed_at=message.timestamp, version=newest, now=time.time()
            )

    async def _send_halves(self, leased: Leased) -> None:
        """Find the key that is not taken, so that the others go through."""
        for half in leased.message.halves():
            await self._send(Leased(half, leased.token, leased.probing))

    def _put_back(self) -> None:
        while self._ready:
            leased = self._ready.popleft()
            self._ledger.release(leased.token, leased.claims)
