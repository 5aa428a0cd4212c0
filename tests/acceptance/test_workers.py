"""Several processes that deliver, killed again and again: nothing is lost, and no key is sent twice at a time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from random import Random

import pytest

from deploy.pms.simulator import Simulator
from tests.support.daemon import Daemon, Roomwire, today
from tests.support.mirror.process import MirrorProcess

LONG = pytest.param(6_000, 20, marks=[pytest.mark.chaos, pytest.mark.timeout(900)], id="6000-20")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("server", ["pg18"], indirect=True)
@pytest.mark.parametrize(("actions", "kills"), [pytest.param(600, 4, id="600-4"), LONG])
async def test_three_workers_of_which_one_after_the_other_is_killed(
    roomwire: Roomwire, mirror: MirrorProcess, actions: int, kills: int
) -> None:
    # Slow answers keep every worker's sends under way, so that each kill cuts some off.
    await mirror.control("slow")
    milestones = sorted(Random(3).sample(range(actions // 10, actions), kills))
    due = asyncio.Event()

    def count(_flow: str) -> None:
        if milestones and simulator.actions.total() >= milestones[0]:
            milestones.pop(0)
            due.set()

    async def kill_when_due(workers: list[Daemon]) -> None:
        for number in range(kills):
            await due.wait()
            due.clear()
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
