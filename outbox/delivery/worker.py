"""Delivery: the loop that empties `behind`, for all endpoints at once.

Any number of workers may run, on any number of machines: leases in the database keep them apart.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Container, Sequence
from functools import partial

import psycopg
import structlog
from psycopg import AsyncConnection

from outbox.delivery import first_sync, partitions, sealing
from outbox.delivery.lease import Lease
from outbox.delivery.outbound import Outbound
from outbox.delivery.pump import Pump, Timing
from outbox.delivery.replaying import keep_marking
from outbox.delivery.sender import Sender
from outbox.delivery.senders import open_senders
from outbox.delivery.steady import steadily
from outbox.secrets import SecretsError
from sql import delivery
from sql.delivery import Standing, Target
from sql.pool import Pool

_HOUR = 3600.0
_FAREWELL = 2.0
_FEW = 8
_log = structlog.get_logger(__name__)


async def run_delivery(
    pool: Pool, outbound: Outbound, *, wake: asyncio.Event, stop: asyncio.Event, timing: Timing | None = None
) -> None:
    """Deliver until `stop` is set, then for up to `timing.drain` seconds what is in flight.

    `wake` is a hint that something was marked; the database is looked at each `timing.poll` seconds anyway. The
    pool needs about one connection per endpoint that is busy at the same time; with fewer they take turns.
    """
    timing = timing or Timing()
    lease = Lease(pool, timing.lease)
    async with (
        open_senders(outbound, connect=timing.connect, total=timing.send) as sender,
        _alive(lease),
        asyncio.TaskGroup() as tasks,
    ):
        fleet = Fleet(pool, sender=sender, lease=lease, wake=wake, timing=timing, tasks=tasks)
        endless = [
            tasks.create_task(_maintain_hourly(pool, outbound)),
            tasks.create_task(_look(pool, fleet, wake, timing.poll)),
            tasks.create_task(keep_marking(pool, timing.poll)),
        ]
        await stop.wait()
        for task in endless:
            task.cancel()
        fleet.retire()


@contextlib.asynccontextmanager
async def _alive(lease: Lease) -> AsyncIterator[None]:
    """Renew the lease until all that was on its way is settled."""
    try:
        async with asyncio.TaskGroup() as tasks:
            endless = [tasks.create_task(lease.keep()), tasks.create_task(lease.give_back())]
            yield
            for task in endless:
                task.cancel()
    finally:
        await _farewell(lease)


async def _farewell(lease: Lease) -> None:
    """Leave, unless the database is away: then the lease ends by itself."""
    # A task of its own: Python 3.11's task groups leave the task that they fail in marked as cancelled.
    leaving = asyncio.create_task(lease.leave())
    _, late = await asyncio.wait({leaving}, timeout=_FAREWELL)
    if late:
        leaving.cancel()
        await asyncio.wait({leaving})
    else:
        leaving.result()


class Fleet:
    """One pump for each endpoint that gets marks, kept in step with the list."""

    def __init__(
        self,
        pool: Pool,
        *,
        sender: Callable[[Target], Sender],
        lease: Lease,
        wake: asyncio.Event,
        timing: Timing,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._lease = lease
        lease.gained, lease.lapsed, lease.shared = self.resume, self.cut, self.share
        self._wake = wake
        self._timing = timing
        self._tasks = tasks
        self._pumps: dict[int, Pump] = {}
        self._running: dict[Pump, asyncio.Task[None]] = {}
        self._fills: dict[int, asyncio.Task[None]] = {}
        self._told: dict[int, int] = {}
        self.changed = False
        self._unusable: dict[int, Target] = {}

    def arrange(self, standings: Sequence[Standing], asked: float) -> None:
        """Start what is new, retire what is gone or set up anew, and tell each what there is to do.

        `asked`: when the database was, in seconds of the monotonic clock.
        """
        wanted = {standing.target.id: standing.target for standing in standings}
        for old in list(self._pumps.values()):
            if wanted.get(old.target.id) != old.target:
                self._retire(self._pumps.pop(old.target.id))
        for standing in standings:
            if standing.fill_version is not None:
                self._fill(standing.target, standing.fill_version)
            elif pump := self._pumps.get(standing.target.id) or self._start(standing.target):
                pump.poke(standing, asked)

    @property
    def large(self) -> bool:
        """Whether one look at the database is cheaper than a claim for each."""
        return len(self._pumps) > _FEW

    def hint(self, marked: Container[int] | None = None) -> None:
        """Tell the pumps of these endpoints, or all, that something was marked just now."""
        for pump in self._pumps.values():
            if marked is None or pump.target.id in marked:
                pump.hint()

    def retire(self) -> None:
        """Let every pump finish what is in flight, and end."""
        for fill in self._fills.values():
            fill.cancel()
        for pump in list(self._running):
            # What is retired already is ending: cancelled once more, it would tear its sends.
            if not pump.retired:
                self._retire(pump)

    def resume(self) -> None:
        """See at once what there is to do."""
        self.changed = True
        self._wake.set()

    def cut(self) -> None:
        """Cancel all that is on its way."""
        for pump in self._running:
            pump.cut()

    def share(self) -> None:
        """Keep to the lanes that are this worker's now."""
        for pump in self._running:
            pump.share()

    def _retire(self, pump: Pump) -> None:
        pump.retired = True
        self._running[pump].cancel()

    def _start(self, target: Target) -> Pump | None:
        if self._unusable.get(target.id) == target:
            return None
        try:
            sender = self._sender(target)
        except (SecretsError, ValueError) as error:
            self._unusable[target.id] = target
            _log.error("endpoint_unusable", endpoint=target.name, error=str(error), remedy="see roomwire check")
            return None
        pump = Pump(self._pool, sender, target, self._lease, self._timing)
        task = self._tasks.create_task(pump.run(), name=f"pump {target.name}")
        self._pumps[target.id] = pump
        self._running[pump] = task
        task.add_done_callback(lambda _: self._running.pop(pump))
        return pump

    def _fill(self, target: Target, version: int) -> None:
        task = self._fills.get(target.id)
        if task is None or task.done():
            self._fills[target.id] = self._tasks.create_task(self._mark_all(target, version))

    async def _mark_all(self, target: Target, version: int) -> None:
        # It is tried each second until the PMS has been read.
        if self._told.get(target.id) != version:
            self._told[target.id] = version
            _log.info("first_sync_begun", endpoint=target.name)
        if await first_sync.fill(self._pool, target.id, version):
            _log.info("first_sync_marked", endpoint=target.name)
            self.resume()


async def _look(pool: Pool, fleet: Fleet, wake: asyncio.Event, poll: float) -> None:
    """Claim at once what a hint tells of, and look at all queues each `poll` seconds anyway.

    The whole look takes long where the PMS keeps a transaction open: then it is a tenth of the time, not more.
    """
    whole_look = 0.0
    while True:
        wake.clear()
        if time.monotonic() >= whole_look or fleet.changed:
            fleet.changed = False
            standings, asked, took = await steadily(pool, _see_all)
            fleet.arrange(standings, asked)
            whole_look = time.monotonic() + max(poll, 10 * took)
        elif fleet.large:
            found = await steadily(pool, partial(delivery.scan, full=False))
            fleet.hint({standing.target.id for standing in found if standing.place is not None})
        else:
            fleet.hint()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(whole_look - time.monotonic(), 0)):
                await wake.wait()


async def _see_all(conn: AsyncConnection) -> tuple[list[Standing], float, float]:
    """What there is to do, when that was asked, and the seconds it took; waiting for a database does not count."""
    asked = time.monotonic()
    standings = await delivery.scan(conn, full=True)
    return standings, asked, time.monotonic() - asked


async def _maintain_hourly(pool: Pool, outbound: Outbound) -> None:
    while True:
        try:
            await partitions.maintain(pool)
        except psycopg.Error as error:
            # Three days lie ahead, and what cannot be written makes one at once.
            _log.error("partitions_not_kept", error=str(error).strip())
        await sealing.maintain(pool, outbound.keys)
        await asyncio.sleep(_HOUR)
