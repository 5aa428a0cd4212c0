"""What a killed numberer, a crash, a restore and a dropped day leave behind: no gap, and nothing twice."""

from __future__ import annotations

import asyncio
import time

import pytest
from psycopg.errors import LockNotAvailable

from outbox.feed import Tail, maintain, number
from sql import feed
from sql.pool import Pool, connect, make_pool
from sql.queries import load
from tests.integration.delivery.documents import Documents, booking_id
from tests.integration.feed.conftest import CHAINED, number_all, rows
from tests.integration.feed.test_days import past, position
from tests.support.daemon import until
from tests.support.servers import Server
from tests.support.servers.databases import Database

_QUERIES = load("feed.sql")
HOTELS = feed.Asked(["hotel"], None, own=False)


async def test_a_numberer_that_is_killed_before_its_commit_has_given_nothing(
    ours: Database, pool: Pool, documents: Documents
) -> None:
    """Its positions were rising among the living all the same, so whoever comes next gives later ones."""
    await documents.booking(7, booking_id(1))
    dying = await connect(ours.dsn, application="dying numberer")
    await dying.execute("begin")
    await dying.execute(_QUERIES["alone"])
    told = await (await dying.execute(_QUERIES["number"], {"after": 0})).fetchone()
    assert told is not None
    assert told[1] == 1
    await documents.booking(7, booking_id(2))
    async with make_pool(ours.dsn, application="other", size=1, lock_timeout="50ms") as other:
        with pytest.raises(LockNotAvailable):
            await number(other, Tail())
    assert await rows(pool, "select * from booking_engine.event") == []
    # As the kernel closes the socket of a process that was killed.
    dying.pgconn.finish()
    assert await until(lambda: _numbered(pool), 30)
    assert await rows(pool, CHAINED) == []
    assert await rows(pool, "select id from booking_engine.event order by position") == [
        (booking_id(1),),
        (booking_id(2),),
    ]


async def _numbered(pool: Pool) -> bool:
    """Whether everything has a position; some pass has to wait for another's end."""
    try:
        return not await number(pool, Tail())
    except LockNotAvailable:
        return False


async def test_numberers_that_all_see_the_same_give_each_version_one_position(
    ours: Database, pool: Pool, documents: Documents
) -> None:
    await documents.bookings(7, 50)
    for n in range(30):
        await documents.booking(7, booking_id(n))
    async with make_pool(ours.dsn, application="others", size=4, lock_timeout="5s") as others:
        await asyncio.gather(*(number_all(one) for one in (pool, others, others, others)))
    assert await rows(pool, CHAINED) == []
    assert await rows(pool, "select count(*), count(distinct position) from booking_engine.event") == [(80, 80)]


async def test_what_a_transaction_brings_that_was_open_for_long_is_told_though_the_look_begins_later(
    ours: Database, pool: Pool, documents: Documents
) -> None:
    """Its place in the queue is before all that was told meanwhile."""
    an_hour_ago = time.monotonic() - 3600
    tail = Tail()
    async with await connect(ours.dsn, application="test writer") as conn:
        late = Documents(conn)
        async with conn.transaction():
            await late.booking(7, booking_id(1))
            for n in range(2, 5):
                await documents.booking(8, booking_id(n))
                async with pool.connection() as session:
                    told, _ = await feed.number(session, 0)
                for minute in range(3):
                    tail.end(told, 0.001, told, an_hour_ago + 180 * n + 61 * minute)
            tail.end(0, 0.001, told, time.monotonic())
            assert tail.begin(time.monotonic()) > 1, "what is new is not looked for at the beginning"
    assert not await number(pool, tail), "the negative control"
    tail.end(0, 0.001, told, time.monotonic() - 31)
    assert await number(pool, tail)
    assert await rows(pool, CHAINED) == []


async def test_after_a_restore_what_is_new_is_told_above_all_positions_before(
    pool: Pool, documents: Documents
) -> None:
    """The restore throws away events, and the queue counts from an earlier id: a numberer lives on beside it."""
    tail = Tail()
    for n in range(5):
        await documents.booking(7, booking_id(n))
        await number_all(pool, tail)
    ((head,),) = await rows(pool, "select max(position) from booking_engine.event")
    async with pool.connection() as conn:
        await conn.execute("delete from booking_engine.event where id >= %s", [booking_id(2)])
        await conn.execute("delete from booking_engine.document where id >= %s", [booking_id(2)])
        await conn.execute("alter table booking_engine.event_queue alter column id restart with 3")
    await documents.booking(7, booking_id(9))
    tail.end(0, 0.001, 0, time.monotonic() - 31)
    await number_all(pool, tail)
    async with pool.connection() as conn:
        page = await feed.read(conn, head, feed.Asked(["booking"], None, own=False), 10)
    assert [(claim.id, claim.place > head) for claim in page.claims] == [(booking_id(9), True)]
    assert await rows(pool, CHAINED) == []


@pytest.mark.own_server
async def test_a_crash_takes_back_no_position_that_somebody_may_have_seen(
    ours: Database, server: Server, documents: Documents, pool: Pool
) -> None:
    tail = Tail()
    for n in range(20):
        await documents.booking(7, booking_id(n))
        await number_all(pool, tail)
    seen = await rows(pool, "select position, id from booking_engine.event order by position")
    await asyncio.to_thread(server.crash)
    await asyncio.to_thread(server.start)
    async with make_pool(ours.dsn, application="after", size=1) as after:
        assert await rows(after, "select position, id from booking_engine.event order by position") == seen


async def test_who_reads_while_a_day_is_dropped_gets_all_of_it_or_is_told_that_he_did_not(
    pool: Pool, documents: Documents
) -> None:
    await documents.hotel(7)
    await number_all(pool)
    version = await documents.value("select version from booking_engine.document where kind = 'hotel'")
    old = await past(pool, 9)
    await rows(
        pool, "update booking_engine.event set version = %s where position = %s returning 1", version, position(old)
    )
    dropping = asyncio.create_task(maintain(pool, days=7))
    whole = expired = 0
    while not dropping.done() or not expired:
        async with pool.connection() as conn:
            page = await feed.read(conn, 0, HOTELS, 10)
            floor = await feed.floor(conn)
        if position(old) in {claim.place for claim in page.claims}:
            whole += 1
        else:
            assert floor >= position(old)
            expired += 1
    await dropping
    assert whole
