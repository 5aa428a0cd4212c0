"""Capture's promises, seen from outside: nothing is lost or written for nothing, and work goes on where it was."""

import asyncio
from typing import Any

import psycopg
import pytest

from deploy.pms.simulator import Simulator
from outbox.signing import new_secret
from tests.support.daemon import Roomwire, today, until
from tests.support.mirror.process import MirrorProcess

HOLD = """
    update reservations set comment = 'held'
    where id = (select id from reservations where status = 'confirmed' and type <> 'employee' order by id limit 1)
    returning id
"""
PINNED = """
    select (pg_current_wal_lsn() - confirmed_flush_lsn)::bigint from pg_replication_slots where slot_name = %s
"""


def simulator(roomwire: Roomwire, seed: int = 5) -> Simulator:
    return Simulator(roomwire.database.dsn, seed=seed, connections=4, rate=None, today=today())


async def ask(roomwire: Roomwire, question: str, *values: object) -> Any:
    """The first column of the first row; None where there is none."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        cursor = await conn.execute(question.encode(), values or None)
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None


@pytest.mark.own_server
async def test_a_commit_held_invisible_is_not_lost(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running(), asyncio.TaskGroup() as group:
        await roomwire.settled()
        await ask(roomwire, "alter system set synchronous_standby_names = 'nobody'")
        await ask(roomwire, "select pg_reload_conf()")
        before = await ask(roomwire, "select pg_current_wal_flush_lsn()")
        held = group.create_task(ask(roomwire, HOLD))

        async def sent() -> bool:
            waiting = "select count(*) = 1 from pg_stat_activity where wait_event = 'SyncRep' and query ~ 'held'"
            passed = "select bool_and(sent_lsn > %s::pg_lsn) from pg_stat_replication"
            return bool(await ask(roomwire, waiting)) and bool(await ask(roomwire, passed, before))

        assert await until(sent, 60)
        # Work that goes on beside the held commit passes it, and must not take the checkpoint along.
        async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as desk:
            await desk.execute("set synchronous_commit = local")
            await desk.execute("update hotels set name = name || ' 別館'")
            await desk.commit()

        async def renamed() -> bool:
            return "別館" in str((await mirror.mirror()).documents["hotel", 1, ""])

        assert await until(renamed, 60)
        assert not held.done()
        await ask(roomwire, "alter system reset synchronous_standby_names")
        await ask(roomwire, "select pg_reload_conf()")
        released = await held
        await roomwire.settled()
    found = await mirror.mirror()
    assert any(body.get("comment") == "held" for body in found.documents.values()), released
    assert roomwire.wrong(found) == []


@pytest.mark.own_server
async def test_an_idle_database_is_left_alone(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    # A server of its own, because the log belongs to all databases; its own background writes are held off.
    checkpoint = "select end_lsn::text from booking_engine.checkpoint"
    committed = "select committed_at from booking_engine.checkpoint"
    async with roomwire.running():
        await roomwire.settled()
        as_of = await ask(roomwire, committed)
        for name, value in {"checkpoint_timeout": "'1h'", "autovacuum": "off"}.items():
            await ask(roomwire, f"alter system set {name} = {value}")
        await ask(roomwire, "select pg_reload_conf()")
        await ask(roomwire, "checkpoint")
        seen: list[tuple[str, int]] = []

        async def three_beats() -> bool:
            lsn = await ask(roomwire, checkpoint)
            if not seen or seen[-1][0] != lsn:
                seen.append((lsn, await ask(roomwire, "select (pg_current_wal_lsn() - '0/0')::bigint")))
            # Each says as of when documents are, though nothing was committed by anybody.
            return len(seen) == 3 and await ask(roomwire, committed) > as_of

        assert await until(three_beats, 60)
        a_beat = seen[2][1] - seen[1][1]
        pinned = await ask(roomwire, PINNED, roomwire.slot)
    assert a_beat < 2_000, "bytes of log for ten seconds of nothing"
    assert pinned < 10_000


async def test_noise_moves_the_checkpoint_and_writes_no_document(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    written = "select count(*) from booking_engine.document where version > %s"
    async with roomwire.running():
        await roomwire.settled()
        newest = await ask(roomwire, "select max(version) from booking_engine.document")
        clients = "update clients set loyalty_tier = 'regular', updated_by = 1"
        async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as nightly:
            await nightly.execute("set local my_app.user_id = '1'")
            await nightly.execute(clients.encode())
            await nightly.execute(clients.replace("regular", "prospect").encode())
            await nightly.commit()
        await roomwire.settled()
        assert await ask(roomwire, written, newest) == 0
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_a_resync_that_is_killed_goes_on_where_it_was(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    cursor = "select cursor from booking_engine.dirty_scope where kind = 'booking' and hotel_id = 1"
    async with roomwire.running() as daemon:

        async def under_way() -> bool:
            return await ask(roomwire, cursor) is not None

        assert await until(under_way, 30)
        await daemon.kill()
        stopped_at = await ask(roomwire, cursor)
        assert stopped_at is not None
        async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
            # From here on, every page that is done leaves its cursor.
            await conn.execute(
                "create table booking_engine.trail (cursor text);"
                "create function booking_engine.leave_trail() returns trigger language plpgsql security definer as"
                " 'begin insert into booking_engine.trail values (old.cursor); return null; end';"
                "create trigger leave_trail after update or delete on booking_engine.dirty_scope for each row"
                " when (old.kind = 'booking' and old.hotel_id = 1) execute function booking_engine.leave_trail()"
            )
        await daemon.start()
        await roomwire.settled()
        assert await ask(roomwire, "select min(cursor) from booking_engine.trail") == stopped_at
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_an_endpoint_added_while_staff_work_ends_equal(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    secret = new_secret()
    async with roomwire.running(), MirrorProcess(secret) as late:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(simulator(roomwire).run(actions=500, stop=stop))
            await roomwire.add_endpoint("late", late.url, secret)
        await roomwire.settled()
        assert roomwire.wrong(await late.mirror()) == []
        assert roomwire.wrong(await mirror.mirror()) == []


async def test_an_endpoint_that_was_down_gets_the_net_state(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running():
        await roomwire.settled()
        before = (await mirror.mirror()).counts.total()
        await mirror.control("down")
        staff = simulator(roomwire)
        await staff.run(actions=700)
        await roomwire.captured()
        keys = await ask(roomwire, "select count(*) from booking_engine.behind")
        assert keys + 50 < staff.actions.total()
        await mirror.control("ok")
        await roomwire.settled(150)
        found = await mirror.mirror()
        assert found.counts.total() - before <= keys + 50
    assert roomwire.wrong(found) == []
