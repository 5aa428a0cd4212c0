"""The oracle: after everything that staff may do, a mirror knows exactly what the PMS says."""

from deploy.pms.simulator import Simulator
from tests.support.daemon import Roomwire, today
from tests.support.mirror.process import MirrorProcess


async def test_first_sync_and_staff_at_work_end_in_the_truth(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    simulator = Simulator(roomwire.database.dsn, seed=3, connections=4, rate=None, today=today())
    async with roomwire.running():
        await simulator.run(actions=400)
        await roomwire.settled()
    assert roomwire.wrong(await mirror.mirror()) == []
