"""Several processes that deliver, killed or frozen: nothing is lost, and no key is sent twice at a time."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from random import Random
from typing import Any, LiteralString

import psycopg
import pytest

from deploy.pms.simulator import Simulator
from tests.support.daemon import Daemon, Roomwire, today, until
from tests.support.mirror.process import MirrorProcess
from tests.support.servers import ON_PG18

LONG = pytest.param(6_000, 20, marks=[pytest.mark.chaos, pytest.mark.timeout(900)], id="6000-20")


@pytest.mark.timeout(600)
@ON_PG18
@pytest.mark.parametrize(("actions", "kills"), [pytest.param(600, 4, id="600-4"), LONG])
async def test_three_workers_of_which_one_after_the_other_is_killed(
    roomwire: Roomwire, mirror: MirrorProcess, actions: int, kills: int
) -> None:
    # Slow answers keep every worker's sends under way, so that each kill cuts some off.
    await mirror.control("slow")
    milestones = sorted(Random(3).sample(range(actions // 10, actions), kills))
    due = asyncio.Semaphore(0)

    def count(_flow: str) -> None:
        if milestones and simulator.actions.total() >= milestones[0]:
            milestones.pop(0)
            due.release()

    async def kill_when_due(workers: list[Daemon]) -> None:
        for number in range(kills):
            await due.acquire()
            worker = workers[number % len(workers)]
            await worker.kill()
            await worker.start()

    simulator = Simulator(roomwire.database.dsn, seed=13, connections=4, rate=60, today=today(), on_action=count)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        await stack.enter_async_context(roomwire.running("--only", "capture"))
        workers = [await stack.enter_async_context(roomwire.running("--only", "delivery")) for _ in range(3)]
        killing = group.create_task(kill_when_due(workers))
        await simulator.run(actions=actions)
        await killing
        await roomwire.settled(180)
    assert milestones == []
    found = await mirror.mirror()
    # Among what the mirror notices: two messages of a key at the same time, and content that changes its id.
    assert roomwire.wrong(found) == []
    assert found.stale == 0, "versions of a key only rise"


@ON_PG18
async def test_a_worker_that_was_frozen_past_its_lease_sends_nothing_of_what_it_held(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    held = "select count(*) from booking_engine.behind where worker is not null"
    guests = """
        update reservations set number_of_people = number_of_people + 1
        where id in (select id::uuid from booking_engine.document where kind = 'booking' order by id limit 40)
    """
    async with (
        roomwire.running("--only", "capture"),
        roomwire.running("--only", "delivery") as frozen,
        await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn,
    ):

        async def holds_many() -> bool:
            return await value(conn, held) >= 4

        await roomwire.settled()
        # One slow answer after the other, so that whoever is frozen holds claims that he has not sent yet.
        await roomwire.command("endpoint", "change", "mirror", "--concurrency", "1")
        await mirror.control("slow")
        await conn.execute(guests)
        assert await until(holds_many, 60)
        assert frozen.process is not None
        frozen.process.send_signal(signal.SIGSTOP)
        assert await value(conn, held) >= 1
        await conn.execute(guests)
        async with roomwire.running("--only", "delivery"):
            # What the frozen one held goes out in its newest version, by the other.
            await roomwire.settled()
            told = (await mirror.mirror()).counts.total()
            frozen.process.send_signal(signal.SIGCONT)
            await frozen.logged('"lease_lapsed"')
            await roomwire.settled()
            assert (await mirror.mirror()).counts.total() == told, "all that he held had been sent"
            await conn.execute(guests)
            await roomwire.settled()
    found = await mirror.mirror()
    # Among what the mirror notices: two messages of a key at the same time, and content that changes its id.
    assert roomwire.wrong(found) == []
    assert found.stale == 0, "versions of a key only rise"


async def value(conn: psycopg.AsyncConnection[Any], query: LiteralString) -> int:
    """The number that a query tells."""
    row = await (await conn.execute(query)).fetchone()
    assert row is not None
    return int(row[0])
