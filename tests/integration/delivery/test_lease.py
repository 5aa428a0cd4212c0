"""Workers that live, die, and cannot show that they live."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from outbox.delivery.lanes import Lanes, Leased
from outbox.delivery.lease import Lease
from outbox.delivery.ledger import Ledger
from outbox.delivery.monitor import Monitor
from outbox.delivery.pace import Pace
from outbox.delivery.pump import Timing
from outbox.delivery.senders import open_senders
from outbox.delivery.worker import _alive
from sql import delivery, workers
from sql.delivery import Claim
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.receiver import holding
from tests.support.servers.databases import Database

BRIEF = Timing(lease=2.0, send=30.0, connect=1.0, poll=0.1, drain=0.1)
LEASED = "behind where token is not null"


async def claim(bench: Bench, worker: object) -> list[Claim]:
    claimed = await delivery.claim(bench.documents.conn, 1, worker=worker, token=uuid4(), size=10, lease=1)  # type: ignore[arg-type]
    return claimed.claims


async def test_what_a_live_worker_has_is_his_until_he_leaves(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.bookings(7, 3)
    conn, one, two = bench.documents.conn, uuid4(), uuid4()
    assert (await workers.renew(conn, one, name="one", lease=30)).others == {}
    assert (await workers.renew(conn, two, name="two", lease=30)).others == {one: None}
    assert len(await claim(bench, one)) == 3
    assert await claim(bench, two) == []
    await workers.leave(conn, one)
    assert [claimed.sent for claimed in await claim(bench, two)] == [True] * 3
    assert (await workers.renew(conn, two, name="two", lease=30)).others == {}


async def test_a_worker_that_stops_leaves_nothing_behind(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
        assert await bench.count("worker where until > now()") == 1
    assert await bench.count("worker") == 0


async def test_a_worker_that_cannot_renew_its_lease_stops_sending_until_it_can(
    bench: Bench, ours: Database
) -> None:
    await bench.endpoint(concurrency=1)
    gate = asyncio.Event()
    bench.receiver.answer = holding(gate)
    async with bench.delivering(BRIEF), await connect(ours.dsn, application="in the way") as other:
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        async with other.transaction():
            await other.execute("lock table booking_engine.worker in exclusive mode")

            async def given_back() -> bool:
                return await bench.count(LEASED) == 0

            await eventually(given_back)
            assert bench.receiver.begun == 1
        gate.set()
        await bench.idle()
    assert len({received.webhook_id for received in bench.receiver.received}) == 1


async def test_what_was_claimed_without_an_answer_is_given_back(bench: Bench) -> None:
    """The server made the claim, and the connection was lost before it could say so."""
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.bookings(7, 3)
    lease = Lease(bench.pool, 0.5)
    gained = asyncio.Event()
    lease.gained = gained.set
    keeping = [asyncio.create_task(lease.keep()), asyncio.create_task(lease.give_back())]
    await gained.wait()
    token = uuid4()
    await delivery.claim(bench.documents.conn, 1, worker=lease.worker, token=token, size=10, lease=1)
    lease.lose(1, token)
    assert await bench.count(LEASED) == 3

    async def given_back() -> bool:
        return await bench.count(LEASED) == 0

    await eventually(given_back)
    assert lease.held, "it is alive all the while"
    for task in keeping:
        task.cancel()
    await lease.leave()


async def test_a_connection_that_breaks_while_it_claims_costs_no_key(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering(Timing(lease=1.0, send=1.0, connect=0.5, poll=0.1)):
        await bench.idle()
        for number in range(20):
            await bench.documents.booking(7, booking_id(number))
            bench.wake.set()
            await _break_all(bench)
        await bench.idle(seconds=60)
    assert len({received.data["booking_id"] for received in bench.receiver.accepted}) == 20


async def _break_all(bench: Bench) -> None:
    """End the sessions of the worker, whatever they are at."""
    await bench.documents.conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'roomwire test'"
    )


async def test_what_killed_workers_had_is_sent_by_the_others_once(bench: Bench) -> None:
    """Killed: it says nothing any more, neither to the database nor to its endpoint."""
    await bench.endpoint(concurrency=6)
    under_way: set[str] = set()
    doubled: list[str] = []

    async def once_at_a_time(message: dict[str, Any]) -> int:
        key = message["data"]["booking_id"]
        if key in under_way:
            doubled.append(key)
        under_way.add(key)
        await asyncio.sleep(0.01)
        under_way.discard(key)
        return 204

    async with bench.delivering(BRIEF), bench.delivering(BRIEF):
        await bench.idle()
        bench.receiver.answer = once_at_a_time
        for round_number in range(3):
            victim = uuid4()
            await workers.renew(bench.documents.conn, victim, name="victim", lease=1.0)
            await bench.documents.bookings(7, 60, first=60 * round_number)
            await claim(bench, victim)
        await bench.idle(seconds=60)
    assert doubled == [], "sent twice at the same time"
    assert len({received.data["booking_id"] for received in bench.receiver.accepted}) == 180
    assert len({received.webhook_id for received in bench.receiver.accepted}) == 180


async def test_a_lock_that_moves_a_row_while_it_is_settled_leaves_nothing_leased(
    bench: Bench, ours: Database
) -> None:
    """The acknowledgement waits for a mark that moves the row: it is settled once more."""
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(7, booking_id(1))
    async with await connect(ours.dsn, application="worker", **delivery.SESSION) as conn:
        worker, token = uuid4(), uuid4()
        await workers.renew(conn, worker, name="one", lease=30)
        (claimed,) = (await delivery.claim(conn, 1, worker=worker, token=token, size=1, lease=30)).claims
        result = delivery.Result(*claimed[:3], token, claimed.version or 0, "delivered")
        async with await psycopg.AsyncConnection.connect(ours.dsn) as projector:
            await projector.execute("update booking_engine.behind set version = version + 1")
            settling = asyncio.create_task(delivery.settle(conn, 1, [result], []))

            async def waiting() -> bool:
                query = f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {conn.info.backend_pid}"
                return bool(await bench.documents.value(query))

            await eventually(waiting)
            await projector.commit()
        assert (await settling).fresh
    assert await bench.rows("select token, acked from booking_engine.behind") == [(None, claimed.version)]


async def test_it_is_held_by_the_clock_though_no_timer_was_heard_of(bench: Bench) -> None:
    """A machine that slept wakes up with its timers still to run."""
    lease = Lease(bench.pool, 60)
    heard: list[str] = []
    lease.gained, lease.lapsed = lambda: heard.append("gained"), lambda: heard.append("lapsed")
    assert not lease.held
    lease._begin(time.monotonic())
    term = lease.term
    lease._begin(time.monotonic())
    assert lease.holds(term)
    lease._begin(time.monotonic() - lease.seconds)
    assert not lease.holds(term), "it ended before it was renewed"
    lease._begin(time.monotonic())
    assert lease.held
    assert not lease.holds(term), "others may have had the keys in between"
    assert heard == ["gained", "lapsed", "gained"]
    await lease.leave()
    assert not lease.holds(lease.term)


async def test_what_was_claimed_before_a_lapse_is_not_sent_after_it(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    (standing,) = await delivery.scan(bench.documents.conn, full=True)
    await bench.documents.bookings(7, 2)
    lease = Lease(bench.pool, 60)
    await lease._renew()
    lease._begin(time.monotonic())
    ended = asyncio.Event()
    async with open_senders(bench.outbound) as sender_of:
        sender, ledger = sender_of(standing.target), Ledger(bench.pool, standing.target)
        monitor = Monitor(bench.pool, standing.target)
        monitor.open = True
        lanes = Lanes(
            target=standing.target,
            sender=sender,
            ledger=ledger,
            monitor=monitor,
            pace=Pace(1),
            lease=lease,
            ended=ended.set,
        )
        token = uuid4()
        claimed = await delivery.claim(bench.documents.conn, 1, worker=lease.worker, token=token, size=2, lease=60)
        first, second = sender.compose(claimed.claims).messages
        before = lease.term
        lease._lapse()
        lease._begin(time.monotonic())
        lanes.backlog.extend([Leased(first, token, before), Leased(second, token, lease.term)])
        lanes.open()
        async with asyncio.timeout(20):
            while lanes.busy:
                await ended.wait()
                ended.clear()
        assert [one.raw for one in bench.receiver.received] == [second.body()]
        await ledger.settle()
    assert await bench.rows("select id, token from booking_engine.behind") == [(first.parts[0].claim.id, None)]
    await lease.leave()


async def test_what_failed_at_the_end_is_said_and_the_lease_left(bench: Bench) -> None:
    """Python 3.11 leaves the task of a task group that fails while it ends marked as cancelled."""
    lease = Lease(bench.pool, 60)
    gained = asyncio.Event()
    lease.gained = gained.set

    async def fail() -> None:
        await gained.wait()
        raise ValueError

    async def live() -> None:
        async with _alive(lease), asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.create_task(live())
    assert caught.group_contains(ValueError)
    assert await bench.count("worker") == 0
