"""Every new version gets a position, once, after its commit, and in the order in which positions can be seen."""

from __future__ import annotations

import asyncio
import random
from datetime import date

import psycopg
import pytest
from psycopg.sql import SQL

from outbox.feed import Tail, number
from sql import feed
from sql.pool import Pool, connect
from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.integration.feed.conftest import CHAINED, number_all, rows
from tests.support.daemon import until
from tests.support.servers.databases import Database

ALL = feed.Asked(["hotel", "booking", "availability"], None, own=False)
FIRST = date(2030, 1, 1)


class Reader:
    """Reads on and on, and keeps what it is told of bookings and nights."""

    def __init__(self, pool: Pool, limit: int) -> None:
        self._pool = pool
        self._limit = limit
        self.position = 0
        self.positions: list[int] = []
        self.bookings: dict[tuple[int, str], int] = {}
        self.nights: dict[tuple[int, str, int], tuple[int, int, int]] = {}

    async def read(self) -> bool:
        """Read one page; whether there is more."""
        async with self._pool.connection() as conn:
            page = await feed.read(conn, self.position, ALL, self._limit)
        for claim in page.claims:
            assert claim.version is not None
            self.positions.append(claim.place)
            if claim.kind == "booking":
                self.bookings[claim.hotel_id, claim.id] = claim.version
            for night in zip(claim.days or (), claim.sellable or (), claim.occupied or (), strict=True):
                day, *counts = night
                old = self.nights.get((claim.hotel_id, claim.id, day), (0, 0, 0))
                if claim.version >= old[0]:
                    self.nights[claim.hotel_id, claim.id, day] = (claim.version, counts[0], counts[1])
        assert page.end >= self.position
        self.position = page.end
        return page.more


async def write_at_random(database: Database, seed: int, slow: asyncio.Event, done: list[int]) -> None:
    """Forty transactions of some documents each; one in four is taken back, one in eight waits for `slow`."""
    chance = random.Random(seed)
    async with await connect(database.dsn, application="test writer") as conn:
        documents = Documents(conn)
        for _ in range(40):
            # Each writer has a hotel of its own, so that one who waits keeps nobody waiting.
            keys = sorted(chance.sample(range(6), chance.randint(1, 3)))
            taken_back, waits = chance.random() < 0.25, chance.random() < 0.125
            async with conn.transaction(force_rollback=taken_back):
                for key in keys:
                    await documents.booking(seed, booking_id(key), comment=str(chance.random()))
                    taken = [chance.randint(0, 9) for _ in range(3)]
                    days = nights(date.fromordinal(FIRST.toordinal() + chance.randint(0, 4)), taken)
                    await documents.availability(seed, key + 1, days)
                if waits:
                    await slow.wait()
            done.append(seed)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_reader_beside_writers_misses_nothing_and_is_told_no_position_twice(
    ours: Database, pool: Pool, seed: int
) -> None:
    chance = random.Random(seed)
    reader = Reader(pool, limit=chance.choice([1, 7, 100]))
    slow, done = asyncio.Event(), list[int]()
    async with asyncio.TaskGroup() as tasks:
        writers = [
            tasks.create_task(write_at_random(ours, 10 * seed + n, slow, done), name=f"writer {n}")
            for n in range(4)
        ]
        tails = [Tail(), Tail()]
        while not all(writer.done() for writer in writers):
            # Two processes number, and those who hold their commit back are let go now and then.
            await asyncio.gather(*(number(pool, tail) for tail in tails), reader.read())
            slow.set() if chance.random() < 0.3 else slow.clear()
    await number_all(pool)
    while await reader.read():
        pass
    assert len(done) == 160
    assert reader.positions == sorted(set(reader.positions))
    assert await rows(pool, CHAINED) == []
    assert await rows(pool, "select * from booking_engine.event_queue") == []
    stored = "select hotel_id, id, version from booking_engine.document where kind = 'booking' and version > 0"
    assert reader.bookings == {(hotel, key): version for hotel, key, version in await rows(pool, stored)}
    kept = await rows(
        pool,
        "select hotel_id, room_type_id::text, date - date '0001-01-01' + 1, sellable, occupied"
        " from booking_engine.availability",
    )
    assert {key: counts for key, (_, *counts) in reader.nights.items()} == {
        (hotel, room_type, day): [sellable, occupied] for hotel, room_type, day, sellable, occupied in kept
    }


async def test_nothing_is_told_before_its_commit_and_all_of_it_afterwards(
    ours: Database, pool: Pool, documents: Documents
) -> None:
    async with await connect(ours.dsn, application="test writer") as conn:
        late = Documents(conn)
        async with conn.transaction():
            await late.booking(7, booking_id(1))
            await documents.booking(7, booking_id(2))
            await number_all(pool)
            assert await rows(pool, "select id from booking_engine.event") == [(booking_id(2),)]
        await number_all(pool)
    told = await rows(pool, "select id from booking_engine.event order by position")
    assert told == [(booking_id(2),), (booking_id(1),)]


async def test_a_transaction_of_the_pms_that_stays_open_holds_nothing_up(
    ours: Database, pool: Pool, documents: Documents
) -> None:
    many = (
        "insert into booking_engine.event_queue (kind, hotels, ids, sinces, versions, owns)"
        " select 'hotel', array[n], array[''], array[0], array[1], array[false]"
        " from generate_series(1, 3000) n returning id"
    )
    async with await psycopg.AsyncConnection.connect(ours.dsn) as open_one:
        await open_one.execute("create table of_the_pms (id int)")
        await rows(pool, many)
        tail = Tail()
        assert await number_all(pool, tail) == 30
        for n in range(1, 20):
            await documents.booking(7, booking_id(n % 5), comment=str(n))
            assert await number(pool, tail)
            told = await rows(pool, "select count(*) from booking_engine.event where kind = 'booking'")
            assert told == [(n,)]
        # What was told is dead, but cannot be cleared away. To look at it all takes many pages, the tail few.
        assert await _pages(ours, after=0) > 5 * await _pages(ours, after=3000)


async def _pages(database: Database, after: int) -> int:
    """How many pages of tables and indexes a look into the queue touches."""
    async with await connect(database.dsn, application="test") as conn:
        look = "select id from booking_engine.event_queue where id > {} order by id limit 100"
        explain = SQL("explain (analyze, buffers, timing off, format json) " + look).format(after)
        row = await (await conn.execute(explain)).fetchone()
        assert row is not None
        plan = row[0][0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_a_numberer_that_is_cut_off_anywhere_leaves_no_gap(ours: Database, pool: Pool) -> None:
    done, slow, cuts = list[int](), asyncio.Event(), 0
    slow.set()
    async with asyncio.TaskGroup() as tasks:
        writer, tail = tasks.create_task(write_at_random(ours, 1, slow, done)), Tail()
        cutting = tasks.create_task(_cut_off(ours))
        while cuts == 0 or not writer.done():
            try:
                await number(pool, tail)
            except psycopg.Error:
                cuts += 1
        cutting.cancel()
    assert await until(lambda: _numbered(pool), 30)
    assert cuts > 0
    assert await rows(pool, CHAINED) == []


async def _numbered(pool: Pool) -> bool:
    try:
        return not await number(pool, Tail())
    except psycopg.Error:
        return False


async def _cut_off(database: Database) -> None:
    """End the numberer's sessions over and over, whatever they are at."""
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as conn:
        while True:
            await conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'roomwire feed' and state <> 'idle' and datname = current_database()"
            )


async def test_a_position_is_later_than_all_before_whatever_the_clock_says(
    pool: Pool, documents: Documents
) -> None:
    await documents.booking(7, booking_id(1))
    await number_all(pool)
    ((first,),) = await rows(pool, "select position from booking_engine.event")
    tomorrow = first + 86_400_000_000
    await rows(
        pool, "insert into booking_engine.event values (%s, 'hotel', 9, '', 0, 1) returning position", tomorrow
    )
    await documents.booking(7, booking_id(2))
    await documents.booking(7, booking_id(3))
    await number_all(pool)
    told = await rows(pool, "select position, id from booking_engine.event where hotel_id = 7 order by 1")
    assert told[1:] == [(tomorrow + 1, booking_id(2)), (tomorrow + 2, booking_id(3))]
