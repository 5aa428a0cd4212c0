"""One leader at a time: a standby takes over from one that is gone, and one that wakes up too late ends."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from tests.support.daemon import Daemon, Roomwire, until
from tests.support.mirror.process import MirrorProcess
from tests.support.operations import ready

TAKEOVER_SECONDS = 5.0
QUICKLY_DROPPED = "-c wal_sender_timeout=8s"
TRAIL = """
    create table booking_engine.trail (at timestamptz default clock_timestamp(), who name default session_user);
    create function booking_engine.leave_trail() returns trigger language plpgsql security definer as
        'begin insert into booking_engine.trail default values; return null; end';
"""
LEAVE_TRAIL = """
    create trigger leave_trail after insert or update or delete on booking_engine.{} for each row
        execute function booking_engine.leave_trail()
"""


async def ask(roomwire: Roomwire, question: str, *values: object) -> Any:
    """The first column of the first row; None where there is none."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        cursor = await conn.execute(question.encode(), values or None)
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None


async def rename(roomwire: Roomwire, name: str) -> None:
    await ask(roomwire, "update hotels set name = %s where id = 1", name)


async def documented(roomwire: Roomwire, name: str, seconds: float) -> bool:
    """Wait until the hotel's document carries this name."""
    found = "select body->>'name' from booking_engine.document where kind = 'hotel' and hotel_id = 1"

    async def there() -> bool:
        return bool(await ask(roomwire, found) == name)

    return await until(there, seconds)


async def test_a_standby_takes_over_from_a_killed_leader(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running() as leader:
        await roomwire.settled()
        await ready(leader, "leader")
        async with roomwire.running() as standby:
            await standby.logged('"standby"')
            await ready(standby, "standby")
            killed = time.monotonic()
            await leader.kill()
            await rename(roomwire, "引き継いだ宿")
            assert await documented(roomwire, "引き継いだ宿", TAKEOVER_SECONDS), standby.log()
            took = time.monotonic() - killed
            print(f"takeover after kill -9: {took:.2f} s")  # noqa: T201  # the figure is worth seeing
            await ready(standby, "leader")
            await roomwire.settled()
    assert took < TAKEOVER_SECONDS
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_a_leader_that_was_frozen_writes_nothing_more_and_ends(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    first = roomwire.environment()["ROOMWIRE_DSN"]
    roomwire.settings["ROOMWIRE_DSN"] = make_conninfo(first, options=QUICKLY_DROPPED)
    async with roomwire.running() as leader:
        await roomwire.settled()
        # Another role, by which the database tells the two apart.
        roomwire.settings["ROOMWIRE_DSN"] = roomwire.database.dsn
        async with roomwire.running() as standby:
            await standby.logged('"standby"')
            await leave_trails(roomwire)
            assert leader.process is not None
            leader.process.send_signal(signal.SIGSTOP)
            # It is sent this, and finds it in its socket when it wakes up.
            await rename(roomwire, "凍った宿")
            await standby.logged('"leading"')
            assert await documented(roomwire, "凍った宿", TAKEOVER_SECONDS), standby.log()
            led = await ask(roomwire, "select clock_timestamp()")
            leader.process.send_signal(signal.SIGCONT)
            assert await ended(leader) == 1, leader.log()
            await rename(roomwire, "目覚めた宿")
            await roomwire.settled()
    last = json.loads(leader.log().splitlines()[-1])
    assert (last["event"], last["level"]) == ("failed", "error")
    assert last["error"] == f"another Roomwire leads slot {roomwire.slot} now; this one stops"
    written = "select count(*) from booking_engine.trail where at > %s and who {} %s"
    assert await ask(roomwire, written.format("="), led, roomwire.role) == 0
    assert await ask(roomwire, written.format("<>"), led, roomwire.role) > 0, "the trail shows nothing at all"
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_a_leader_that_loses_its_connection_leads_again(roomwire: Roomwire) -> None:
    drop = "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = %s"
    epoch = "select epoch from booking_engine.checkpoint where slot = %s"
    async with roomwire.running() as leader:
        await leader.logged('"leading"')
        assert await ask(roomwire, drop, roomwire.slot)

        async def leads_again() -> bool:
            return bool(await ask(roomwire, epoch, roomwire.slot) == 2)

        assert await until(leads_again, 60), leader.log()
        await rename(roomwire, "戻った宿")
        assert await documented(roomwire, "戻った宿", 20), leader.log()
        assert await leader.end() == 0, leader.log()


async def leave_trails(roomwire: Roomwire) -> None:
    """From now on whoever writes what only the leader may write leaves a trail."""
    await ask(roomwire, TRAIL)
    for table in ("document", "checkpoint", "dirty_scope"):
        await ask(roomwire, LEAVE_TRAIL.format(table))


async def ended(daemon: Daemon) -> int:
    """Wait until the daemon ends by itself; returns its exit code."""
    assert daemon.process is not None
    async with asyncio.timeout(20):
        return await daemon.process.wait()
