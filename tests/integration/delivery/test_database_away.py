"""A database that restarts, crashes or is away while a worker delivers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from outbox.delivery.lease import Lease
from outbox.delivery.pump import Pump, Timing
from outbox.delivery.senders import open_senders
from sql import delivery
from sql.pool import make_pool
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id
from tests.integration.delivery.receiver import Receiver, holding
from tests.support.servers import Server
from tests.support.servers.databases import Database


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
        pump = Pump(pool, sender_of(standing.target), standing.target, lease, Timing(poll=0.05))
        async with await psycopg.AsyncConnection.connect(ours.dsn) as blocker:
            await blocker.execute("lock table booking_engine.behind")
            pump.poke(standing, asked)
            delivering = asyncio.create_task(pump.run())
            await eventually(lambda: ended_at_a_claim(bench))
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1, 20)
        pump.retired = True
        delivering.cancel()
        await asyncio.wait({delivering})
    keeping.cancel()
    await lease.leave()
    assert lease._lost, "the claim that failed"
    assert await bench.count("behind") == 0


async def ended_at_a_claim(bench: Bench) -> bool:
    """End the session that waits for a lock; whether there was one."""
    ended = await bench.documents.conn.execute(
        "select pg_terminate_backend(pid, 20000) from pg_stat_activity"
        " where application_name = 'roomwire broken' and wait_event_type = 'Lock'"
    )
    return (True,) in await ended.fetchall()


@pytest.mark.own_server
async def test_it_survives_a_restart_of_the_database(server: Server, ours: Database, receiver: Receiver) -> None:
    async with make_pool(ours.dsn, application="test", size=4) as pool:
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            bench = Bench(pool, Documents(conn), receiver)
            await bench.endpoint()
            await bench.documents.bookings(7, 30)
        gate = asyncio.Event()
        receiver.answer = holding(gate)
        async with bench.delivering():
            await receiver.until(lambda: receiver.begun > 0)
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

    async def asked(query: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            return await (await conn.execute(query)).fetchall()

    gate = asyncio.Event()
    receiver.answer = holding(gate)
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
