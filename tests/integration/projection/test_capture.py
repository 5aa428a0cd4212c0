"""Capture in this process: leading, being deposed, a day that begins, and what the checkpoint may say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daemon import following
from daemon.capture import Capture
from daemon.following import follow
from daemon.progress import Progress
from daemon.replication.errors import ConnectionLostError, ReplicationError
from daemon.replication.stream import ReplicationStream
from daemon.settings import Settings, read
from deploy.embedded import free_port
from sql import checkpoint
from sql.checkpoint import DeposedError
from sql.pool import Pool, make_pool
from tests.integration.projection.house import FAR, House
from tests.support.daemon import until


def settings(house: House, **given: object) -> Settings:
    return read(dsn=house.database.dsn, slot=house.database.slot("capture"), **given)


@asynccontextmanager
async def leading(house: House) -> AsyncIterator[asyncio.Task[None]]:
    """Capture as its own task; the block may await it, or leave it running to its end."""
    found = settings(house)
    async with (
        make_pool(house.database.dsn, application="test capture", size=3) as pool,
        await ReplicationStream.connect(house.database.dsn, application="test capture") as stream,
    ):
        task = asyncio.create_task(Capture(stream, pool, found, lambda: None, Progress()).run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])


async def stored(house: House) -> checkpoint.Checkpoint:
    found = await checkpoint.read(house.conn, house.database.slot("capture"))
    assert found is not None
    return found


async def settled(house: House) -> None:
    """Wait until all that is written by now is in documents."""
    await house.desk.execute("select pg_logical_emit_message(true, 'test', 'settle')")
    lsn = await house.ask("select (pg_current_wal_flush_lsn() - '0/0')::bigint")

    async def there() -> bool:
        found = await checkpoint.read(house.conn, house.database.slot("capture"))
        left = await house.ask("select exists (select from booking_engine.dirty_scope)")
        return found is not None and found.end_lsn >= lsn and not left

    assert await until(there, 60)


async def led_before(house: House) -> None:
    """Leave a slot and a checkpoint as a leader does that was stopped: documents are in step with them."""
    slot = house.database.slot("capture")
    await house.desk.execute(
        "select pg_create_logical_replication_slot(%s, %s)", [slot, house.database.server.plugins[0]]
    )
    await checkpoint.start(
        house.conn,
        slot,
        system_id=await house.ask("select system_identifier::text from pg_control_system()"),
        timeline=await house.ask("select timeline_id from pg_control_checkpoint()"),
        end_lsn=await house.ask(
            "select (confirmed_flush_lsn - '0/0')::bigint from pg_replication_slots where slot_name = %(slot)s",
            slot=slot,
        ),
        today=house.frame.today,
    )


async def failure(task: asyncio.Task[None]) -> BaseException:
    """What capture ends with."""
    await asyncio.wait([task], timeout=30)
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert error is not None
    return error


async def test_the_first_start_makes_slot_and_documents(house: House) -> None:
    await house.desk.execute("truncate booking_engine.document, booking_engine.availability")
    async with leading(house) as task:
        await settled(house)
        assert not task.done()
    found = await stored(house)
    assert (found.epoch, found.horizon) == (1, house.frame.today)
    assert await house.wrong() == []


async def test_a_midnight_that_was_slept_through_is_made_up_for(house: House) -> None:
    await led_before(house)
    await house.desk.execute("update booking_engine.checkpoint set horizon = horizon - 2")
    await house.desk.execute("update booking_engine.availability set date = date - 2")
    await house.desk.execute(
        "insert into booking_engine.endpoint (name, url, secret) values ('engine', 'http://engine.example', 'x')"
    )
    newest = await house.ask("select max(version) from booking_engine.document where kind <> 'availability'")
    async with leading(house):

        async def moved() -> bool:
            return (await stored(house)).horizon == house.frame.today

        assert await until(moved, 30)
        await settled(house)
    span = "select min(date) || ' ' || max(date) from booking_engine.availability"
    assert await house.ask(span) == f"{house.day(-1)} {house.day(730)}"
    assert await house.ask("select count(*) from booking_engine.behind where kind <> 'availability'") == 0
    others = "select max(version) from booking_engine.document where kind <> 'availability'"
    assert await house.ask(others) == newest


async def test_a_leader_of_an_old_epoch_writes_nothing_more(house: House) -> None:
    await led_before(house)
    stay = await house.stay((await house.rooms())[:1])
    async with leading(house) as task:
        await settled(house)
        async with house.conn.transaction():
            await checkpoint.lead(house.conn, house.database.slot("capture"))
        before = await stored(house)
        await house.write("update reservations set comment = '遅', updated_by = 1 where id = %(id)s", id=stay.id)
        assert isinstance(await failure(task), DeposedError)
    assert await stored(house) == before
    body = await house.booking(stay)
    assert body is not None
    assert body["comment"] is None
    async with leading(house):
        await settled(house)
    assert await house.wrong() == []


async def test_a_leader_waits_for_the_last_transaction_of_the_one_before(house: House) -> None:
    await led_before(house)
    before = (await stored(house)).epoch
    async with house.conn.transaction():
        await checkpoint.hold(house.conn, house.database.slot("capture"), before)
        async with leading(house) as task:

            async def tried_twice() -> bool:
                waiting = "select count(*) from pg_stat_activity where application_name = 'roomwire test capture'"
                pids.add(
                    await house.ask(f"select min(query_start::text) {waiting[15:]} and wait_event_type = 'Lock'")
                )
                return len(pids - {None}) >= 2 or task.done()

            pids: set[str | None] = set()
            assert await until(tried_twice, 60)
            assert not task.done()


async def test_hours_apart_are_no_gap_but_a_slot_made_anew_is(house: House) -> None:
    await led_before(house)
    stay = await house.stay((await house.rooms())[:1])
    await house.desk.execute("select pg_drop_replication_slot(%s)", [house.database.slot("capture")])
    room = (await house.rooms())[1]
    other = await house.stay([room], ahead=FAR + 3)
    await house.write("delete from reservations where id = %(id)s", id=stay.id)
    async with leading(house):
        await settled(house)
    assert await house.booking(other)
    assert await house.wrong() == []


async def test_who_cannot_reach_a_server_gives_up_when_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # Every attempt takes longer than the longest wait between two of them, as a time-out does.
    monkeypatch.setattr(following, "_LONGEST_WAIT", 0.1)
    dsn = f"host=127.0.0.1 port={free_port()} dbname=x user=x"
    found = read(dsn=dsn, patience_seconds=0.5)
    async with Pool(dsn, min_size=0, max_size=1, open=False, timeout=0.3) as pool:
        with pytest.raises(ConnectionLostError):
            await asyncio.wait_for(follow(found, pool, lambda: None, Progress()), 20)


async def test_a_slot_of_another_database_or_plugin_is_left_alone(house: House) -> None:
    slot = house.database.slot("capture")
    await house.desk.execute("select pg_create_logical_replication_slot(%s, 'test_decoding')", [slot])
    async with leading(house) as task:
        error = await failure(task)
    assert isinstance(error, ReplicationError)
    assert not error.heals
    assert slot in str(error)
    assert await checkpoint.read(house.conn, slot) is None


async def test_a_namesake_of_a_table_in_another_schema_is_noise(house: House) -> None:
    await led_before(house)
    stay = await house.stay((await house.rooms())[:1])
    async with leading(house) as task:
        await settled(house)
        await house.desk.execute("create schema archive")
        await house.desk.execute("create table archive.reservations (hotel_id text primary key)")
        await house.desk.execute("insert into archive.reservations values ('上野')")
        await house.desk.execute("truncate archive.reservations")
        await house.write("update reservations set comment = '後', updated_by = 1 where id = %(id)s", id=stay.id)
        await settled(house)
        assert not task.done()
    assert await house.wrong() == []
