"""The feed's days: made ahead, dropped when they are too old, and never in anybody's way."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import psycopg

from outbox.feed import DAYS_AHEAD, Tail, maintain, number
from sql import feed
from sql.feed import EVENTS
from sql.pool import Pool
from tests.integration.delivery.documents import Documents, booking_id
from tests.integration.feed.conftest import number_all, rows
from tests.support.servers.databases import Database


def position(day: date) -> int:
    """The first position of a day."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000


async def today(pool: Pool) -> date:
    """The server's day."""
    ((day,),) = await rows(pool, "select (now() at time zone 'UTC')::date")
    return day  # type: ignore[no-any-return]


async def days(pool: Pool) -> list[date]:
    """Those that have a partition."""
    async with pool.connection() as conn:
        return [one.day for one in await EVENTS.partitions(conn) if one.attached]


async def past(pool: Pool, ago: int, *, events: int = 1) -> date:
    """Make a day of the past with some events."""
    day = await today(pool) - timedelta(days=ago)
    async with pool.connection() as conn:
        first = position(day)
        await conn.execute(
            f"create table booking_engine.event_{day:%Y%m%d} partition of booking_engine.event"
            f" for values from ({first}) to ({first + 86_400_000_000})".encode()
        )
        for n in range(events):
            await conn.execute(
                "insert into booking_engine.event values (%s, 'hotel', 7, '', %s, %s)", [first + n, n, n + 1]
            )
    return day


async def floor(pool: Pool) -> int:
    """The last position that was dropped."""
    async with pool.connection() as conn:
        return await feed.floor(conn)


async def test_days_are_made_ahead_and_dropped_when_they_are_too_old(pool: Pool) -> None:
    first = await today(pool)
    assert await days(pool) == [first + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
    old, kept = await past(pool, 9, events=3), await past(pool, 7)
    empty = await past(pool, 8, events=0)
    await maintain(pool, days=7)
    assert await days(pool) == [kept, *(first + timedelta(days=n) for n in range(DAYS_AHEAD + 1))]
    assert await floor(pool) == position(old) + 2
    for day in (old, empty):
        assert await rows(pool, "select to_regclass(%s)", f"booking_engine.event_{day:%Y%m%d}") == [(None,)]
    await maintain(pool, days=7)
    assert await floor(pool) == position(old) + 2


async def test_a_day_is_dropped_beside_a_transaction_of_the_pms_and_readers(ours: Database, pool: Pool) -> None:
    old = await past(pool, 9)
    everything = feed.Asked(["hotel"], None, own=False)
    async with await psycopg.AsyncConnection.connect(ours.dsn) as open_one:
        await open_one.execute("create table of_the_pms (id int)")
        dropping = asyncio.create_task(maintain(pool, days=7))
        while not dropping.done():
            async with pool.connection() as conn:
                await feed.read(conn, 0, everything, 10)
        await dropping
    assert old not in await days(pool)
    assert await floor(pool) == position(old)


async def test_what_an_interrupted_drop_left_is_taken_up_again(ours: Database, pool: Pool) -> None:
    old = await past(pool, 9)
    async with await psycopg.AsyncConnection.connect(ours.dsn) as reader:
        await reader.execute("select * from booking_engine.event")
        async with await psycopg.AsyncConnection.connect(ours.dsn, autocommit=True) as conn:
            await conn.execute("set statement_timeout = '500ms'")
            try:
                await conn.execute(
                    f"alter table booking_engine.event detach partition booking_engine.event_{old:%Y%m%d}"
                    " concurrently".encode()
                )
                raise AssertionError("it should have waited for the reader")
            except psycopg.errors.QueryCanceled:
                pass
    await maintain(pool, days=7)
    assert await rows(pool, "select to_regclass(%s)", f"booking_engine.event_{old:%Y%m%d}") == [(None,)]
    assert await floor(pool) == position(old)


async def test_a_day_that_has_no_partition_gets_one_when_it_is_needed(pool: Pool, documents: Documents) -> None:
    day = await today(pool)
    await rows(pool, "select 1")
    async with pool.connection() as conn:
        await conn.execute(f"drop table booking_engine.event_{day:%Y%m%d}".encode())
    await documents.booking(7, booking_id(1))
    tail = Tail()
    assert await number(pool, tail)
    await number_all(pool, tail)
    assert await rows(pool, "select id from booking_engine.event") == [(booking_id(1),)]


async def test_cursors_that_missed_something_are_forgotten_when_nobody_moves_them(pool: Pool) -> None:
    old = await past(pool, 9)
    async with pool.connection() as conn:
        for name in ("asleep", "awake", "ahead"):
            at = position(old) + 1 if name == "ahead" else 0
            await feed.ack(conn, "engine", name, at, most=20)
        await conn.execute(
            "insert into booking_engine.api_keys (id, client, digest, scopes, requests_per_minute)"
            " values ('k', 'engine', '', '{read}', 1)"
        )
        await conn.execute(
            "update booking_engine.event_cursor set acked_at = now() - interval '8 days' where name <> 'awake'"
        )
    await maintain(pool, days=7)
    async with pool.connection() as conn:
        assert [one.name for one in await feed.cursors(conn, "engine")] == ["ahead", "awake"]
        lagging = {one.name: (one.expired, one.behind) for one in await feed.lagging(conn)}
        assert lagging == {"ahead": (False, 0), "awake": (True, 0)}
        await conn.execute("update booking_engine.api_keys set revoked_at = now()")
        assert await feed.lagging(conn) == []
