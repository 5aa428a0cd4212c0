"""Persistence on real servers: what passes by itself is tried again, the rest is raised, and patience ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import AsyncConnection

from daemon.persistence import Persistence
from sql.checkpoint import DeposedError
from sql.pool import Pool, make_pool
from tests.support.servers.databases import Database

RAISE = "do $$ begin raise exception 'refused' using errcode = '{}'; end $$"


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    async with make_pool(database.dsn, application="test", size=2) as pool:
        yield pool


class Work:
    """Work that fails in one way a few times, then says 42."""

    def __init__(self, failure: str, times: int) -> None:
        self.failure, self.times, self.runs = failure, times, 0

    async def __call__(self, conn: AsyncConnection) -> int:
        self.runs += 1
        async with conn.transaction():
            if self.runs <= self.times:
                await conn.execute(self.failure.encode())
            row = await (await conn.execute("select 42")).fetchone()
        assert row is not None
        return int(row[0])


async def test_what_passes_by_itself_is_tried_again(pool: Pool) -> None:
    for state in ("40P01", "40001", "55P03", "57014", "57P03", "53300", "53200", "08006", "25P03"):
        work = Work(RAISE.format(state), 2)
        assert await Persistence(pool, 20).run(work) == 42, state
        assert work.runs == 3, state


async def test_a_connection_that_was_cut_is_replaced(pool: Pool) -> None:
    work = Work("select pg_terminate_backend(pg_backend_pid())", 2)
    assert await Persistence(pool, 20).run(work) == 42
    assert work.runs == 3


async def test_one_that_stood_still_too_long_is_replaced(pool: Pool) -> None:
    runs = 0

    async def paused(conn: AsyncConnection) -> int:
        nonlocal runs
        runs += 1
        async with conn.transaction():
            if runs == 1:
                await conn.execute("set local idle_in_transaction_session_timeout = '1ms'")
                # As a machine that was suspended: the server ends the session meanwhile.
                while conn.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                    await conn.execute("select 1")
            await conn.execute("select 1")
        return runs

    assert await Persistence(pool, 20).run(paused) == 2


async def test_the_rest_is_raised_at_once(pool: Pool) -> None:
    errors: dict[str, type[Exception]] = {
        "42501": psycopg.errors.InsufficientPrivilege,
        "42P01": psycopg.errors.UndefinedTable,
        "23505": psycopg.errors.UniqueViolation,
        "22P02": psycopg.errors.InvalidTextRepresentation,
        "XX000": psycopg.errors.InternalError_,
    }
    for state, error in errors.items():
        work = Work(RAISE.format(state), 9)
        with pytest.raises(error):
            await Persistence(pool, 20).run(work)
        assert work.runs == 1, state


async def test_who_is_deposed_does_not_try_again(pool: Pool) -> None:
    runs = []

    async def deposed(conn: AsyncConnection) -> None:
        runs.append(conn)
        raise DeposedError("roomwire")

    with pytest.raises(DeposedError):
        await Persistence(pool, 20).run(deposed)
    assert len(runs) == 1


async def test_patience_ends(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock on which every try takes a tenth of a second, and waiting nothing."""
    work = Work(RAISE.format("55P03"), 9)
    monkeypatch.setattr("daemon.persistence.time", SimpleNamespace(monotonic=lambda: work.runs / 10))
    with pytest.raises(psycopg.errors.LockNotAvailable):
        await Persistence(pool, 0.5).run(work)
    assert work.runs == 4, "the wait after the fourth would end behind the deadline"


async def test_waiting_can_be_ended(pool: Pool) -> None:
    task = asyncio.create_task(Persistence(pool, 600).run(Work(RAISE.format("57P03"), 10**6)))
    done, _ = await asyncio.wait([task], timeout=0.2)
    assert not done
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
