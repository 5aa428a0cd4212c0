"""The oracle: after everything that staff may do, a mirror knows exactly what the PMS says."""

import asyncio
from random import Random

import psycopg
import pytest

from deploy.pms.simulator import Simulator
from tests.support.daemon import Daemon, Roomwire, today
from tests.support.mirror.process import MirrorProcess

LONG = pytest.param(10_000, 10, marks=[pytest.mark.chaos, pytest.mark.timeout(600)], id="10000-10")

OLD_POSITIONS = dict.fromkeys(
    ("staff_hold", "block_room", "unblock", "move_dates", "change_length", "delete_hold", "outside_modification"),
    1.0,
)
"""Flows that move or delete nights, and none that makes Roomwire recompute a hotel as a whole."""


@pytest.mark.parametrize(("actions", "kills"), [pytest.param(800, 3, id="800-3"), LONG])
async def test_staff_at_work_and_kills_end_in_the_truth(
    roomwire: Roomwire, mirror: MirrorProcess, actions: int, kills: int
) -> None:
    milestones = sorted(Random(7).sample(range(actions // 10, actions), kills))
    due = asyncio.Semaphore(0)

    def count(_flow: str) -> None:
        if milestones and simulator.actions.total() >= milestones[0]:
            milestones.pop(0)
            due.release()

    async def kill_when_due(daemon: Daemon) -> None:
        for _ in range(kills):
            await due.acquire()
            await daemon.kill()
            await daemon.start()

    simulator = Simulator(roomwire.database.dsn, seed=11, connections=6, rate=None, today=today(), on_action=count)
    async with roomwire.running() as daemon, asyncio.TaskGroup() as group:
        killing = group.create_task(kill_when_due(daemon))
        await simulator.run(actions=actions)
        await killing
        await roomwire.settled(120)
    assert milestones == []
    found = await mirror.mirror()
    assert roomwire.wrong(found) == []
    assert found.counts["hotel.snapshot"] >= 2, "a first sync closes each hotel"


async def test_the_oracle_sees_what_is_missed_without_old_positions(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    with psycopg.connect(roomwire.database.dsn) as conn:
        conn.execute(
            "create function forget() returns trigger language plpgsql as 'begin return null; end';"
            "create trigger forget before insert on booking_engine.reservation_seen for each row"
            " execute function forget()"
        )
    simulator = Simulator(
        roomwire.database.dsn, seed=3, connections=4, rate=None, today=today(), weights=OLD_POSITIONS
    )
    async with roomwire.running():
        await roomwire.settled()
        await simulator.run(actions=300)
        await roomwire.settled()
    nights = [line for line in roomwire.wrong(await mirror.mirror()) if line.startswith("availability")]
    assert len(nights) > 10
