"""Pipelines that send what was said once somebody waits for an answer, and at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.pq import PipelineStatus

from sql.pipelines import pipelined
from tests.support.daemon import until
from tests.support.servers.databases import Database

_LONG = f"select %(first)s::int + %(second)s::int /* {'x' * 5000} */, '%%'"


@asynccontextmanager
async def _connected(database: Database) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(database.dsn, autocommit=True, prepare_threshold=0) as conn:
        yield conn


async def test_answers_come_in_any_order_to_whom_they_are_for(database: Database) -> None:
    async with _connected(database) as conn:
        for _ in range(2):
            async with pipelined(conn):
                number = await conn.execute("select %(wanted)s::int", {"wanted": 47})
                longer = await conn.execute(_LONG, {"second": 2, "first": 1})
                bare = await conn.execute("select '%'")
                assert await bare.fetchone() == ("%",)
                assert [row async for row in longer] == [(3, "%")]
                assert await number.fetchone() == (47,)


async def test_nothing_is_sent_before_somebody_waits_and_all_of_it_at_the_end(database: Database) -> None:
    async with _connected(database) as conn, _connected(database) as other:
        await conn.execute("create table said (word text)")
        async with pipelined(conn):
            await conn.execute("insert into said values (%(word)s)", {"word": "first"})
            pipeline = conn._pipeline
            assert pipeline is not None
            assert pipeline.command_queue
            await conn.execute("insert into said values (%(word)s)", {"word": "second"})
        assert await (await other.execute("select word from said")).fetchall() == [("first",), ("second",)]


async def test_what_the_socket_does_not_take_at_once_is_sent_too(database: Database) -> None:
    text = "x" * 5_000_000
    async with _connected(database) as conn, asyncio.timeout(60):
        await conn.execute("create table said (word text)")
        for _ in range(2):
            async with pipelined(conn):
                back = await conn.execute("select %(text)s::text", {"text": text})
                assert await back.fetchone() == (text,)
                for _ in range(3):
                    await conn.execute("insert into said values (%(text)s)", {"text": text})
        known = await conn.execute("select count(*), sum(length(word)) from said")
        assert await known.fetchone() == (6, 6 * len(text))


async def test_whoever_was_first_refused_is_named_and_not_what_was_left_undone_for_it(database: Database) -> None:
    async def say(conn: AsyncConnection) -> None:
        async with pipelined(conn):
            await conn.execute("begin")
            for word in ("same", "same", "x" * 100_000):
                await conn.execute("insert into said values (%(word)s)", {"word": word})
            await conn.execute("commit")

    async with _connected(database) as conn:
        await conn.execute("create table said (word text unique)")
        for _ in range(20):
            with pytest.raises(psycopg.errors.UniqueViolation):
                await say(conn)
            await conn.execute("rollback", prepare=False)


async def test_the_server_knows_that_it_is_our_turn(database: Database) -> None:
    async with _connected(database) as conn, _connected(database) as other, pipelined(conn):
        await conn.execute("begin")
        await (await conn.execute("select 1")).fetchone()

        async def idle() -> bool:
            state = "select state from pg_stat_activity where pid = %s"
            row = await (await other.execute(state, (conn.info.backend_pid,))).fetchone()
            return row == ("idle in transaction",)

        assert await until(idle, 20)
        await conn.execute("rollback", prepare=False)


async def test_an_error_ends_what_follows_it_and_the_session_goes_on(database: Database) -> None:
    async def fail(conn: AsyncConnection) -> None:
        async with pipelined(conn):
            await conn.execute("begin")
            await conn.execute("create table made (id int)")
            await conn.execute("select 1 / %(by)s::int", {"by": 0})
            await conn.execute("commit")

    async with _connected(database) as conn:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await fail(conn)
        assert conn.pgconn.pipeline_status == PipelineStatus.OFF
        await conn.execute("rollback", prepare=False)
        async with pipelined(conn):
            made = await conn.execute("select to_regclass('made'), 1 / %(by)s::int", {"by": 1})
            assert await made.fetchone() == (None, 1)
