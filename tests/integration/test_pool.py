"""Connections that are shared: what ends on one of them ends as it was meant to."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from sql.pool import Pool, make_pool
from tests.support.servers.databases import Database


async def test_a_cancelled_task_is_not_kept_alive_by_an_error_of_its_connection(database: Database) -> None:
    working = asyncio.Event()

    async def tidy_up_on_a_connection_that_is_gone(conn: psycopg.AsyncConnection) -> None:
        try:
            working.set()
            await asyncio.Event().wait()
        finally:
            await conn.close()
            await conn.execute("select 1")

    async def wait_errors_out() -> None:
        async with make_pool(database.dsn, application="test", size=1) as pool:
            try:
                async with pool.connection() as conn:
                    await tidy_up_on_a_connection_that_is_gone(conn)
            except psycopg.Error:
                await asyncio.Event().wait()

    task = asyncio.create_task(wait_errors_out())
    await working.wait()
    task.cancel()
    ended, _ = await asyncio.wait({task}, timeout=20)
    assert ended, task.cancel()
    assert task.cancelled()


async def test_a_cancellation_that_was_forgotten_is_remembered(database: Database) -> None:
    async def forget() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    async def lose_a_cancellation() -> None:
        async with make_pool(database.dsn, application="test", size=1) as pool:
            async with pool.connection():
                await forget()
            await asyncio.Event().wait()

    task = asyncio.create_task(lose_a_cancellation())
    ended, _ = await asyncio.wait({task}, timeout=20)
    assert ended, task.cancel()
    assert task.cancelled()


async def test_an_error_of_the_database_stays_one(database: Database) -> None:
    async with make_pool(database.dsn, application="test", size=1) as pool:
        with pytest.raises(psycopg.errors.DivisionByZero):
            async with pool.connection() as conn:
                await conn.execute("select 1 / 0")


async def test_a_session_keeps_what_it_has_prepared_when_a_transaction_is_left_open(database: Database) -> None:
    async def fail(pool: Pool) -> None:
        async with pool.connection() as conn, conn.pipeline():
            await conn.execute("begin")
            await conn.execute("select 47")
            await conn.execute("select 1 / 0")

    prepared = "select count(*) from pg_prepared_statements where statement = 'select 47'"
    async with make_pool(database.dsn, application="test", size=1) as pool:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await fail(pool)
        async with pool.connection() as conn:
            assert conn.info.transaction_status == TransactionStatus.IDLE
            assert await (await conn.execute(prepared)).fetchone() == (1,)


async def test_whoever_comes_next_is_not_in_the_pipeline_of_who_was_cancelled(database: Database) -> None:
    async def wait_in_a_pipeline(pool: Pool) -> None:
        async with pool.connection() as conn, conn.pipeline():
            # What is done before the server is told to stop it: then psycopg forgets one of its pipelines.
            await conn.execute(
                "do $$ begin perform pg_sleep(60); exception when query_canceled then perform 1; end $$"
            )
            # Waits for what was said before.
            async with conn.transaction():
                pass

    async with make_pool(database.dsn, application="test", size=1) as pool:
        task = asyncio.create_task(wait_in_a_pipeline(pool))
        async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as other:
            while not await _sleeping(other):
                pass
        task.cancel()
        await asyncio.wait({task}, timeout=20)
        assert task.cancelled()
        async with pool.connection() as conn:
            row = await (await conn.execute("select 1")).fetchone()
            assert (conn.pgconn.pipeline_status, row) == (psycopg.pq.PipelineStatus.OFF, (1,))


async def _sleeping(conn: psycopg.AsyncConnection) -> bool:
    wanted = "select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    return await (await conn.execute(wanted)).fetchone() is not None


async def test_a_session_that_was_ended_while_nobody_used_it_is_given_to_nobody(database: Database) -> None:
    async with (
        make_pool(database.dsn, application="test", size=2) as pool,
        await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as other,
    ):
        async with pool.connection() as first, pool.connection() as second:
            known = [first.info.backend_pid, second.info.backend_pid]
        await other.execute("select pg_terminate_backend(pid, 20000) from unnest(%s::int[]) pid", [known])
        async with pool.connection() as conn:
            assert conn.info.backend_pid not in known
            assert await (await conn.execute("select 1")).fetchone() == (1,)
