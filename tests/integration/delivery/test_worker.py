"""The worker: endpoints that come and go, heartbeats, partitions, trouble with the database, and the end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from outbox import changing, endpoints, signing
from outbox.delivery import partitions
from outbox.delivery.lease import Lease
from outbox.delivery.partitions import ATTEMPTS
from outbox.delivery.pump import Pump, Timing
from outbox.delivery.senders import open_senders
from outbox.delivery.shares import owned
from outbox.settings import EndpointError, Settings
from sql import delivery, workers
from sql.partitions import today
from sql.pool import connect, make_pool
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id
from tests.integration.delivery.receiver import Receiver
from tests.support.servers import Server
from tests.support.servers.databases import Database

BRIEF = Timing(lease=2.0, send=1.5, connect=1.0, poll=0.1)


async def test_endpoints_come_and_go_while_it_runs(bench: Bench) -> None:
    async with bench.delivering(), Receiver(signing.new_secret()) as other:
        await bench.endpoint("one")
        await bench.documents.booking(7, booking_id(1))
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1)
        await bench.endpoint("two", to=other)
        await other.until(lambda: len(other.accepted) == 1)
        await endpoints.disable(bench.documents.conn, "one")
        await bench.documents.booking(7, booking_id(2))
        await other.until(lambda: len(other.accepted) == 2)
        await endpoints.remove(bench.documents.conn, "two")
        await endpoints.enable(bench.documents.conn, "one")
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 3)
        await bench.idle()
    listed = await endpoints.overview(bench.documents.conn)
    assert [(one.name, one.status, one.behind, one.filling) for one in listed] == [("one", "healthy", 0, False)]


async def test_a_hint_is_acted_on_without_waiting_for_the_next_look(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering(Timing(poll=60)):
        await bench.count("endpoint")
        bench.wake.set()

        async def filled() -> bool:
            bench.wake.set()
            return await bench.count("endpoint where fill_version is null") == 1

        await eventually(filled)
        await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1, 5)


async def test_what_changes_while_it_is_sent_follows_at_once(bench: Bench) -> None:
    await bench.endpoint()
    answered = asyncio.Event()

    async def slow(_message: dict[str, Any]) -> int:
        await answered.wait()
        return 200

    async with bench.delivering():
        await bench.idle()
    async with bench.delivering(Timing(poll=60)):
        bench.receiver.answer = slow
        await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        await bench.documents.booking(7, booking_id(1), status="checked_in")
        answered.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 2, 5)
        await bench.idle()


async def test_names_are_taken_once_and_secrets_never_shown(bench: Bench) -> None:
    await bench.endpoint()
    with pytest.raises(EndpointError, match="there is an endpoint named 'engine'"):
        await bench.endpoint()
    wrong = Settings("other", "http://127.0.0.1/")
    object.__setattr__(wrong, "bookings", "some")
    with pytest.raises(EndpointError) as caught:
        await endpoints.add(bench.documents.conn, wrong, bench.outbound)
    assert wrong.secret not in repr(caught.value)
    assert bench.receiver._secret not in repr(await endpoints.overview(bench.documents.conn))


async def test_heartbeats_come_when_due_from_one_of_several_workers(bench: Bench) -> None:
    await bench.endpoint(heartbeat_seconds=1)
    await bench.documents.conn.execute(
        "insert into booking_engine.checkpoint (slot, system_id, timeline, end_lsn, committed_at)"
        " values ('roomwire', '1', 1, '0/0', '2026-11-23 05:14:56+00')"
    )
    started = time.monotonic()
    async with bench.delivering(), bench.delivering(), bench.delivering():
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 4)
    assert time.monotonic() - started >= 2.9
    beats = [received for received in bench.receiver.accepted if received.type == "heartbeat"]
    assert len(beats) == 4
    assert beats[0].data == {"as_of": "2026-11-23T05:14:56.000000Z", "hotel_id": None, "behind": 0}
    assert len({received.webhook_id for received in beats}) == 4, "none may pass for another's repetition"


async def test_a_heartbeat_tells_how_much_an_endpoint_is_behind(bench: Bench) -> None:
    async def picky(message: dict[str, Any]) -> int:
        return 204 if message["type"] == "heartbeat" else 422

    bench.receiver.answer = picky
    await bench.endpoint(heartbeat_seconds=1)
    await bench.documents.bookings(7, 5)
    async with bench.delivering():
        await bench.receiver.until(
            lambda: any(received.data["behind"] == 5 for received in bench.receiver.accepted)
        )


async def test_a_heartbeat_does_not_say_up_to_date_while_a_resync_of_its_hotels_runs(bench: Bench) -> None:
    await bench.endpoint(heartbeat_seconds=1, hotels=[7])
    async with bench.delivering():
        await bench.idle()
        await bench.documents.conn.execute(
            "insert into booking_engine.dirty_scope (kind, hotel_id, reason, done, total)"
            " values ('booking', 7, 'test', 60, 100), ('booking', 8, 'test', 0, 900),"
            " ('content', null, 'test', 0, 1)"
        )
        await bench.receiver.until(lambda: any(one.data["behind"] == 41 for one in bench.receiver.accepted))
        await bench.documents.conn.execute("delete from booking_engine.dirty_scope")
        await bench.receiver.until(lambda: bench.receiver.accepted[-1].data["behind"] == 0)


async def test_partitions_are_made_ahead_and_old_ones_dropped(bench: Bench) -> None:
    conn = bench.documents.conn
    await partitions.maintain(bench.pool)
    now = await today(conn)
    for age in (13, 14, 15, 40):
        await ATTEMPTS.create(conn, now - timedelta(days=age))
    await conn.execute("create table booking_engine.attempt_20200101 (like booking_engine.attempt)")
    await asyncio.gather(*(partitions.maintain(bench.pool) for _ in range(3)))
    await partitions.maintain(bench.pool)
    found = await ATTEMPTS.partitions(conn)
    assert [partition.day - now for partition in found] == [timedelta(days=n) for n in (-14, -13, 0, 1, 2, 3)]
    assert all(partition.attached for partition in found)


async def test_an_old_partition_is_dropped_though_detaching_it_was_interrupted(
    bench: Bench, ours: Database
) -> None:
    conn = bench.documents.conn
    old = await today(conn) - timedelta(days=30)
    await ATTEMPTS.create(conn, old)
    async with await psycopg.AsyncConnection.connect(ours.dsn) as reader:
        await reader.execute("select count(*) from booking_engine.attempt")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await partitions.maintain(bench.pool)
        (left,) = [partition for partition in await ATTEMPTS.partitions(conn) if partition.day == old]
        assert left.detaching
        await reader.rollback()
    await partitions.maintain(bench.pool)
    assert old not in {partition.day for partition in await ATTEMPTS.partitions(conn)}


async def test_a_missing_partition_is_made_when_it_is_needed(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        for partition in await ATTEMPTS.partitions(bench.documents.conn):
            await ATTEMPTS.drop(bench.documents.conn, partition)
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
    assert await bench.count("attempt") == 1
    assert len(bench.receiver.accepted) == 1


async def test_when_it_is_told_to_stop_what_is_in_flight_is_written_down(bench: Bench) -> None:
    await bench.endpoint(concurrency=2)
    await bench.documents.bookings(7, 20)
    gate = asyncio.Event()

    async def hold(_message: dict[str, Any]) -> int:
        await gate.wait()
        return 204

    bench.receiver.answer = hold
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
    never = asyncio.Event()

    async def hang(_message: dict[str, Any]) -> int:
        await never.wait()
        return 204

    bench.receiver.answer = hang
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
    never = asyncio.Event()

    async def hang(_message: dict[str, Any]) -> int:
        await never.wait()
        return 204

    bench.receiver.answer = hang
    async with bench.delivering() as worker:
        await bench.receiver.until(lambda: bench.receiver.begun == 5)
        worker.cancel()
        await asyncio.wait({worker})
    assert await bench.rows("select count(*), count(token) from booking_engine.behind") == [(5, 0)]


async def test_a_lease_that_would_end_during_the_send_is_given_back_instead(bench: Bench) -> None:
    await bench.endpoint(concurrency=1)
    async with bench.delivering(BRIEF), bench.delivering(BRIEF):
        await bench.documents.bookings(7, 100)
        await bench.idle()
        before = len(bench.receiver.received)

        async def slow(_message: dict[str, Any]) -> int:
            await asyncio.sleep(0.3)
            return 204

        bench.receiver.answer = slow
        await bench.documents.bookings(7, 15, first=100)
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


async def test_a_claim_that_fails_is_made_again_without_another_look(bench: Bench, ours: Database) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(7, booking_id(1))
    asked = time.monotonic()
    (standing,) = await delivery.scan(bench.documents.conn, full=True)
    lease = Lease(bench.pool, 60)
    gained = asyncio.Event()
    lease.gained = gained.set
    keeping = asyncio.create_task(lease.keep())
    await gained.wait()
    async with (
        make_pool(ours.dsn, application="broken", size=1, **delivery.SESSION) as pool,
        open_senders(bench.outbound) as sender_of,
    ):
        await pool.wait()
        ended = "select pg_terminate_backend(pid, 20000) from pg_stat_activity where application_name = %s"
        assert await (await bench.documents.conn.execute(ended, ["roomwire broken"])).fetchall() == [(True,)]
        pump = Pump(pool, sender_of(standing.target), standing.target, lease, Timing(poll=0.05))
        pump.poke(standing, asked)
        delivering = asyncio.create_task(pump.run())
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1, 20)
        pump.retired = True
        delivering.cancel()
        await asyncio.wait({delivering})
    keeping.cancel()
    await lease.leave()
    assert lease._lost, "the claim that failed"
    assert await bench.count("behind") == 0


@pytest.mark.own_server
async def test_it_survives_a_restart_of_the_database(server: Server, ours: Database, receiver: Receiver) -> None:
    async with make_pool(ours.dsn, application="test", size=4) as pool:
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            bench = Bench(pool, Documents(conn), receiver)
            await bench.endpoint()
            await bench.documents.bookings(7, 30)
        asked = asyncio.Event()
        gate = asyncio.Event()

        async def hold(_message: dict[str, Any]) -> int:
            asked.set()
            await gate.wait()
            return 204

        receiver.answer = hold
        async with bench.delivering():
            await asked.wait()
            await asyncio.to_thread(server.crash)
            gate.set()
            await receiver.until(lambda: len(receiver.accepted) >= 8)
            await asyncio.to_thread(server.start)
            async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
                bench.documents = Documents(conn)
                await bench.idle()
                assert await bench.count("attempt") >= 30
    assert len({received.data["booking_id"] for received in receiver.accepted}) == 30


async def crash(server: Server, _: Database) -> None:
    await asyncio.to_thread(server.crash)
    await asyncio.to_thread(server.start)


async def kill_one_backend(_: Server, ours: Database) -> None:
    """What the system does to one that took too much memory: the postmaster ends all the others and recovers."""
    victim, other = [await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) for _ in range(2)]
    with pytest.raises(psycopg.OperationalError):
        await victim.execute("copy (select) to program 'kill -9 $PPID'")
    await victim.close()
    with pytest.raises(psycopg.OperationalError):
        # Until it is ended, too, the postmaster has not noticed, and takes new ones only to end them.
        await other.execute("select pg_sleep(60)")
    await other.close()

    async def back() -> bool:
        try:
            await (await psycopg.AsyncConnection.connect(ours.dsn)).close()
        except psycopg.OperationalError:
            return False
        return True

    await eventually(back)


@pytest.mark.own_server
@pytest.mark.parametrize("end", [crash, kill_one_backend])
async def test_what_a_crash_made_free_during_its_send_is_not_sent_beside_it(
    server: Server, ours: Database, receiver: Receiver, end: Callable[[Server, Database], Awaitable[None]]
) -> None:
    """Claims do not wait for the disk, so the database may have forgotten them while the message is on its way."""
    gate = asyncio.Event()

    async def hold(_message: dict[str, Any]) -> int:
        await gate.wait()
        return 204

    async def asked(query: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            return await (await conn.execute(query)).fetchall()

    receiver.answer = hold
    async with make_pool(ours.dsn, application="test", size=8, **delivery.SESSION) as pool:
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            bench = Bench(pool, Documents(conn), receiver)
            await bench.endpoint(concurrency=20)
            await bench.documents.booking(7, booking_id(1))
        timing = Timing(lease=4.0, send=60, poll=0.1)
        async with bench.delivering(timing), bench.delivering(timing):
            await receiver.until(lambda: receiver.begun == 1)
            await end(server, ours)
            # As if the crash had come a moment earlier.
            await asked("update booking_engine.behind set token = null, worker = null, sent = false returning id")
            met = dict(await asked("select id, until from booking_engine.worker"))

            async def both_went_on() -> bool:
                now = dict(await asked("select id, until from booking_engine.worker"))
                return all(now[one] > met[one] + timedelta(seconds=1) for one in met)

            await eventually(both_went_on)
            assert receiver.begun == 1, "it has not ended"
            gate.set()
            await receiver.until(lambda: receiver.begun == 2)

            async def done() -> bool:
                return await asked("select count(*) from booking_engine.behind") == [(0,)]

            await eventually(done)
    assert receiver.most == 1
    assert len({one.webhook_id for one in receiver.received}) == 1


@pytest.mark.own_server
async def test_it_ends_in_time_though_the_database_is_away(
    server: Server, ours: Database, receiver: Receiver
) -> None:
    async with make_pool(ours.dsn, application="test", size=4) as pool:
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            bench = Bench(pool, Documents(conn), receiver)
            await bench.endpoint()
            await bench.documents.bookings(7, 30)
        async with bench.delivering(Timing(lease=4, send=2, poll=0.1, drain=0.5)):
            await receiver.until(lambda: receiver.begun > 0)
            await asyncio.to_thread(server.crash)
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 10
        await asyncio.to_thread(server.start)
