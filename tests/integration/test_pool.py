"""Connections that are shared: what ends on one of them ends as it was meant to."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import pytest

from sql.pool import make_pool
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
