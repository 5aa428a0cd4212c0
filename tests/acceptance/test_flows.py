"""Every way in which staff, OTAs and nightly jobs write to the PMS, one at a time, with a mirror that listens."""

from __future__ import annotations

import pytest

from deploy.pms.simulator import FLOWS, Simulator
from tests.support.daemon import Roomwire, today
from tests.support.mirror.process import MirrorProcess

TIMES = 2
TOGETHER = 3
"""Comparing takes longer than acting, so a few flows are looked at together."""
FIRST = {
    "unblock": "block_room",
    "convert_block": "block_room",
    "delete_hold": "staff_hold",
    "outside_modification": "outside_booking",
    "outside_cancellation": "outside_booking",
    "drag_one_room": "staff_hold",
    "split_rooms": "staff_hold",
    "merge": "split_nights",
    "delete_hotel_plan": "add_hotel_plan",
}
"""Flows that act on what another leaves behind, and that other."""


@pytest.mark.timeout(300)
async def test_every_flow_ends_in_the_truth(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    staff = Simulator(roomwire.database.dsn, seed=23, connections=1, today=today(), pause=0.05)
    wrong: dict[str, list[str]] = {}
    async with roomwire.running():
        await roomwire.settled()
        for first in range(0, len(FLOWS), TOGETHER):
            flows = list(FLOWS)[first : first + TOGETHER]
            for flow in flows:
                for _ in range(TIMES):
                    if flow in FIRST:
                        await staff.perform(FIRST[flow])
                    await staff.perform(flow)
            await roomwire.settled()
            # What some flows left wrong is not held against the next.
            known = {line for lines in wrong.values() for line in lines}
            found = [line for line in roomwire.wrong(await mirror.mirror()) if line not in known]
            if found:
                wrong[" or ".join(flows)] = found
    assert wrong == {}
    assert all(staff.actions[flow] >= TIMES for flow in FLOWS)
