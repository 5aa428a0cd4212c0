"""Who marks, queues or skips what endpoints are behind on is never in the way of those who write documents."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from outbox import replay
from outbox.delivery import first_sync, replaying
from sql import delivery, endpoints, ledger, workers
from sql.endpoints import START
from sql.ledger import Author, Choice
from sql.pool import connect
from sql.replay import Scope
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import DAY

BOOKED = ("booking", 7, booking_id(1))
FREE = ("availability", 7, "31")

WAITING = """
select exists (
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""

Work = Callable[[AsyncConnection], Awaitable[object]]


async def fill(bench: Bench) -> Work:
    conn = bench.documents.conn
    async with conn.transaction():
        await endpoints.lock(conn)
        await endpoints.enable(conn, "engine")
    version = await bench.documents.value("select fill_version from booking_engine.endpoint")
    return lambda _conn: first_sync.fill(bench.pool, 1, version)


async def mark(bench: Bench) -> Work:
    await replay.start(bench.documents.conn, "engine", Scope(), reason="a test")

    async def work(_conn: AsyncConnection) -> None:
        while await replaying.mark(bench.pool):
            pass

    return work


async def forget(bench: Bench) -> Work:
    conn, worker, token = bench.documents.conn, uuid4(), uuid4()
    await workers.renew(conn, worker, name="test", lease=60)
    claimed = await delivery.claim(conn, 1, worker=worker, token=token, size=9, lease=60)
    assert len(claimed.claims) == 2
    return lambda conn: workers.forget(conn, 1, [token], START)


async def refuse(bench: Bench) -> None:
    await bench.documents.conn.execute("update booking_engine.behind set rejected_at = now()")


async def retry(bench: Bench) -> Work:
    await refuse(bench)
    return lambda conn: ledger.retry(conn, Choice())


async def retry_named(bench: Bench) -> Work:
    await refuse(bench)
    return lambda conn: ledger.retry(conn, Choice(keys=[FREE, BOOKED]))


async def skip(bench: Bench) -> Work:
    await refuse(bench)
    return lambda conn: ledger.skip(conn, Choice(rejected=True), Author("operator", "test"), "a test")


async def skip_named(bench: Bench) -> Work:
    return lambda conn: ledger.skip(conn, Choice(keys=[FREE, BOOKED]), Author("operator", "test"), "a test")


@pytest.mark.parametrize("prepare", [fill, mark, forget, retry, retry_named, skip, skip_named])
async def test_a_batch_that_has_marked_a_booking_marks_nights_without_waiting(
    bench: Bench, ours: Database, prepare: Callable[[Bench], Awaitable[Work]]
) -> None:
    """In the order of rows, nights stand before bookings; capture takes them after those."""
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(*BOOKED[1:])
    await bench.documents.availability(7, 31, nights(DAY, [1]))
    work = await prepare(bench)
    async with (
        await connect(
            ours.dsn, application="capture", lock_timeout="400ms", idle_in_transaction_session_timeout="0"
        ) as capture,
        await connect(ours.dsn, application="worker", lock_timeout="60s") as worker,
    ):
        batch = Documents(capture)
        async with capture.transaction():
            newest = await batch.booking(*BOOKED[1:], status="checked_in")
            doing = asyncio.ensure_future(work(worker))

            async def as_far_as_it_gets() -> bool:
                return doing.done() or bool(await bench.documents.value(WAITING))

            await eventually(as_far_as_it_gets)
            await batch.availability(7, 31, nights(DAY, [2]))
        await doing
    assert (await bench.rows("select version from booking_engine.behind where kind = 'booking'")) == [(newest,)]


@pytest.mark.parametrize("prepare", [fill, mark])
async def test_a_document_that_is_pruned_while_its_page_waits_for_it_ends_nothing(
    bench: Bench, ours: Database, prepare: Callable[[Bench], Awaitable[Work]]
) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(*BOOKED[1:])
    await bench.documents.room_type(7, 31)
    await bench.documents.conn.execute("delete from booking_engine.behind")
    work = await prepare(bench)
    async with await connect(ours.dsn, application="capture", idle_in_transaction_session_timeout="0") as capture:
        async with capture.transaction():
            await capture.execute("delete from booking_engine.document where kind = 'booking'")
            doing = asyncio.ensure_future(work(bench.documents.conn))

            async def it_waits() -> bool:
                return bool(await bench.documents.value(WAITING))

            await eventually(it_waits)
        await doing
    assert await bench.rows("select kind from booking_engine.behind where kind <> 'snapshot'") == [("room_type",)]
