"""What a look at the database finds, and that looking harms and delays nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from daemon.observation import Observer, observe
from sql import watch
from sql.migrate import script
from sql.pool import Pool, connect, make_pool
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template


@pytest.fixture
def ours(server: Server) -> Iterator[Database]:
    """A database with Roomwire's schema and nothing else."""

    def fill(connection: psycopg.Connection[Any]) -> None:
        connection.execute("create schema booking_engine")
        connection.execute(script())

    with fresh_database(server, template(server, "roomwire_looking", fill)) as database:
        yield database


@pytest.fixture
async def conn(ours: Database) -> AsyncIterator[AsyncConnection]:
    async with await connect(ours.dsn, application="looking") as conn:
        yield conn


@pytest.fixture
async def pool(ours: Database) -> AsyncIterator[Pool]:
    async with make_pool(ours.dsn, application="watch", size=1) as pool:
        yield pool


async def test_the_oldest_writer_is_what_keeps_the_log(ours: Database, conn: AsyncConnection) -> None:
    async with await AsyncConnection.connect(ours.dsn, application_name="night audit") as audit:
        await audit.execute("create table audit (id int)")
        async with await AsyncConnection.connect(ours.dsn, application_name="newer") as newer:
            await newer.execute("create table newer (id int)")
            found = await watch.holder(conn)
    assert found is not None
    assert found.who.endswith("(night audit)")
    assert (found.database, found.since is not None) == (ours.name, True)
    assert found.younger >= 1


async def test_who_may_not_know_since_when_learns_who(ours: Database, conn: AsyncConnection) -> None:
    async with await AsyncConnection.connect(ours.dsn, application_name="night audit") as audit:
        await audit.execute("create table audit (id int)")
        await conn.execute("create role looker")
        await conn.execute("set role looker")
        found = await watch.holder(conn)
        await conn.execute("reset role")
        await conn.execute("drop role looker")
    assert found is not None
    assert (found.who.endswith("(night audit)"), found.since) == (True, None)


async def test_an_estimate_counts_what_is_known(conn: AsyncConnection) -> None:
    await conn.execute(
        "insert into booking_engine.dirty_scope (kind, hotel_id, reason, done, total) values"
        " ('booking', 1, 'test', 40, 100), ('availability', 1, 'test', 0, null), ('content', 1, 'test', 0, null),"
        " ('booking', 2, 'test', 0, null)"
    )
    await conn.execute(
        "insert into booking_engine.document (kind, hotel_id, id) values"
        " ('booking', 2, 'a'), ('booking', 2, 'b'), ('booking', 1, 'c')"
    )
    assert await watch.keys_left(conn) == 60 + 732 + 1 + 2


async def test_the_last_failure_of_each_endpoint_is_found(conn: AsyncConnection) -> None:
    await conn.execute("create table booking_engine.attempts partition of booking_engine.attempt default")
    await conn.execute(
        "insert into booking_engine.endpoint (name, url, secret) values ('a', '', ''), ('b', '', '')"
    )
    await conn.execute(
        "insert into booking_engine.attempt"
        " (at, endpoint_id, webhook_id, type, keys, bytes, outcome, latency_ms, error)"
        " select now() - n * interval '1 minute', e.id, '', 'plan.updated', 1, 1,"
        " case when n in (3, 5) and e.name = 'a' then 'rejected' else 'delivered' end, 1, 'HTTP 42' || n"
        " from booking_engine.endpoint e, generate_series(1, 9) n"
    )
    found = await watch.failures(conn)
    assert [(f.endpoint, f.outcome, f.error) for f in found] == [("a", "rejected", "HTTP 423")]


async def test_a_refused_key_is_named(conn: AsyncConnection) -> None:
    await conn.execute("insert into booking_engine.endpoint (name, url, secret) values ('a', '', '')")
    await conn.execute(
        "insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place, rejected_at,"
        " last_error) select id, 'plan', 1, '1h', 2, 1, 0, now(), 'HTTP 422' from booking_engine.endpoint"
    )
    assert [(r.endpoint, r.id, r.error) for r in await watch.refused(conn, 5)] == [("a", "1h", "HTTP 422")]
    seen = await observe(conn, "none")
    assert [(row.behind, row.rejected) for row in seen.endpoints] == [(1, 1)]
    assert (seen.slot.exists, seen.confirmed_lag, seen.restart_lag, seen.sender) == (False, 0, 0, None)


async def test_those_who_ask_at_once_share_a_look(pool: Pool) -> None:
    observer = Observer(pool, "none")
    await observer.look()
    first = observer.seen
    assert first is not None
    await observer.look()
    assert observer.seen is first


async def test_a_look_that_fails_says_why(ours: Database, pool: Pool) -> None:
    observer = Observer(pool, "none")
    async with await AsyncConnection.connect(ours.dsn) as other:
        await other.execute("lock table booking_engine.endpoint in access exclusive mode")
        await observer.look()
    assert observer.seen is None
    assert "lock timeout" in (observer.error or "")


async def test_a_look_that_takes_long_is_not_waited_for(ours: Database) -> None:
    async with make_pool(ours.dsn, application="watch", size=1, lock_timeout="20s") as pool:
        observer = Observer(pool, "none")
        async with await AsyncConnection.connect(ours.dsn) as other:
            await other.execute("lock table booking_engine.endpoint in access exclusive mode")
            await observer.look()
            assert (observer.seen, observer.error) == (None, "it has not answered for 2 s")
        await observer.look()
        assert observer.seen is not None
