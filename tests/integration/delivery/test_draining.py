"""How a worker ends: what is in flight is written down, or given back."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from outbox import changing
from outbox.delivery.lease import Lease
from outbox.delivery.pump import Pump, Timing
from outbox.delivery.senders import open_senders
from outbox.delivery.shares import owned
from sql import delivery, workers
from sql.pool import connect, make_pool
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.receiver import holding
from tests.support.servers.databases import Database

BRIEF = Timing(lease=3.0, send=30.0, connect=1.0, poll=0.1)


async def test_when_it_is_told_to_stop_what_is_in_flight_is_written_down(bench: Bench) -> None:
    await bench.endpoint(concurrency=2)
    await bench.documents.bookings(7, 20)
    gate = asyncio.Event()
    bench.receiver.answer = holding(gate)
    async with asyncio.TaskGroup() as tasks, bench.delivering():
        await bench.receiver.until(lambda: bench.receiver.begun == 2)
        tasks.create_task(_open_when(bench, gate, "behind where token is null", 18))
    assert bench.receiver.begun == len(bench.receiver.accepted) == 2
    assert await bench.rows("select count(*), count(token) from booking_engine.behind") == [(18, 0)]


async def _open_when(bench: Bench, gate: asyncio.Event, what: str, number: int) -> None:
    async def check() -> bool:
        return await bench.count(what) == number

    await eventually(check)
    gate.set()


async def test_what_is_in_flight_of_an_endpoint_that_was_changed_outlives_the_end_too(bench: Bench) -> None:
    await bench.endpoint(concurrency=2)
    gate = asyncio.Event()

    async def hold_the_first(message: dict[str, Any]) -> int:
        if message["data"]["booking_id"] == booking_id(0):
            await gate.wait()
        return 204

    async def open_when_the_new_one_has_gone(worker: asyncio.Task[None]) -> None:
        await eventually(lambda: pumps(1))
        assert not worker.done()
        gate.set()

    async def pumps(most: int) -> bool:
        return sum(task.get_name() == "pump engine" for task in asyncio.all_tasks()) <= most

    timing = Timing(lease=60, send=30, poll=0.1, drain=20)
    async with asyncio.TaskGroup() as tasks, bench.delivering(timing) as worker:
        await bench.idle()
        bench.receiver.answer = hold_the_first
        await bench.documents.booking(7, booking_id(0))
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        await changing.change(bench.documents.conn, "engine", {"max_bytes": 30_000}, bench.outbound)
        await bench.documents.booking(7, booking_id(1))
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1)
        assert not await pumps(1)
        tasks.create_task(open_when_the_new_one_has_gone(worker))
    assert bench.receiver.begun == len(bench.receiver.accepted) == 2
    assert await bench.count("behind") == 0


async def test_what_outlasts_the_drain_is_cut_short_and_given_back(bench: Bench) -> None:
    await bench.endpoint(concurrency=2)
    await bench.documents.bookings(7, 4)
    bench.receiver.answer = holding(asyncio.Event())
    async with bench.delivering(Timing(lease=60, send=30, poll=0.1, drain=0.3)):
        await bench.receiver.until(lambda: bench.receiver.begun == 2)
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 5
    rows = await bench.rows(
        "select count(*), count(token), count(*) filter (where sent) from booking_engine.behind"
    )
    assert rows == [(4, 0, 4)]


async def test_cancelling_it_gives_everything_back(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.bookings(7, 5)
    bench.receiver.answer = holding(asyncio.Event())
    async with bench.delivering() as worker:
        await bench.receiver.until(lambda: bench.receiver.begun == 5)
        worker.cancel()
        await asyncio.wait({worker})
    assert await bench.rows("select count(*), count(token) from booking_engine.behind") == [(5, 0)]


async def test_what_is_sent_for_longer_than_a_lease_is_sent_by_nobody_else(bench: Bench) -> None:
    await bench.endpoint(concurrency=1)
    gate = asyncio.Event()
    async with bench.delivering(BRIEF), bench.delivering(BRIEF):
        await bench.documents.bookings(7, 100)
        await bench.idle()
        before = len(bench.receiver.received)
        bench.receiver.answer = holding(gate)
        await bench.documents.bookings(7, 15, first=100)
        await bench.receiver.until(lambda: bench.receiver.begun == before + 1)
        await bench.outlive(BRIEF.lease, workers=2)
        gate.set()
        await bench.idle()
    assert len(bench.receiver.received) - before == 15, "nothing was sent twice"


async def test_what_was_being_claimed_as_its_lanes_became_anothers_goes_back(bench: Bench, ours: Database) -> None:
    await bench.endpoint(concurrency=1)
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.bookings(7, 2)
    asked = time.monotonic()
    (standing,) = await delivery.scan(bench.documents.conn, full=True)
    lease = Lease(bench.pool, 60)
    other = next(one for one in iter(uuid4, None) if owned(one, [one, lease.worker], standing.target.id, 1))
    gained = asyncio.Event()
    lease.gained = gained.set
    keeping = asyncio.create_task(lease.keep())
    await gained.wait()
    session: dict[str, Any] = delivery.SESSION | {"lock_timeout": "60s"}
    async with (
        make_pool(ours.dsn, application="claiming", size=2, **session) as pool,
        await connect(ours.dsn, application="holder", idle_in_transaction_session_timeout="0") as holder,
        open_senders(bench.outbound) as sender_of,
    ):
        pump = Pump(pool, sender_of(standing.target), standing.target, lease, Timing())
        lease.shared = pump.share
        async with holder.transaction():
            await holder.execute("lock table booking_engine.behind in exclusive mode")
            pump.poke(standing, asked)
            delivering = asyncio.create_task(pump.run())

            async def claims() -> bool:
                waiting = "application_name = 'roomwire claiming' and wait_event_type = 'Lock'"
                return bool(await bench.documents.value(f"select count(*) from pg_stat_activity where {waiting}"))

            await eventually(claims)
            far = datetime.now(UTC) + timedelta(days=1)
            await workers.renew(bench.documents.conn, other, name="other", lease=60, kept=far)
            while lease.lanes(standing.target.id, 1):
                lease._hurry.set()
                await asyncio.sleep(0.01)

        async def settled() -> bool:
            claimed = await bench.count("behind where sent")
            return claimed > 0 and await bench.count("behind where token is not null") == 0

        await eventually(settled)
        pump.retired = True
        delivering.cancel()
        await asyncio.wait({delivering})
    keeping.cancel()
    await lease.leave()
    assert await bench.count("behind") == 2
    assert not bench.receiver.received
