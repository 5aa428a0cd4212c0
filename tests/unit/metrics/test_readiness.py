"""Ready or not, and why."""

from dataclasses import replace

import pytest

from daemon.progress import BEAT_SECONDS, Progress, State
from daemon.readiness import LATE_SECONDS, Seen, judge
from tests.unit.metrics.samples import SEEN, SLOT

WELL = Seen(SEEN, None, 1.0)
START = 1_000_000.0
PARTS = ("capture", "delivery", "api")


def progress(state: State, reason: str | None = None) -> Progress:
    made = Progress()
    made.become(state, reason)
    made.since = START
    made.beat(str(START), START)
    return made


@pytest.mark.parametrize(("state", "role"), [("leading", "leader"), ("standby", "standby")])
def test_a_leader_and_a_standby_are_ready(state: State, role: str) -> None:
    found = judge(PARTS, progress(state), WELL, START + 1)
    assert found.ready
    assert (found.said["status"], found.said["role"], found.said["reasons"]) == ("ready", role, [])
    assert found.said["slot"]["confirmed_lag_bytes"] == 0x400


@pytest.mark.parametrize("state", ["starting", "reconnecting"])
def test_neither_leading_nor_standing_by_is_not_ready(state: State) -> None:
    found = judge(PARTS, progress(state, "the server went away"), WELL, START + 1)
    assert not found.ready
    assert found.said["reasons"] == [f"capture: {state}: the server went away"]


def test_without_capture_the_database_decides() -> None:
    assert judge(("delivery", "api"), None, WELL, START).said["role"] == "none"
    assert judge(("api",), None, Seen(replace(SEEN, slot=replace(SLOT, active_pid=None)), None, 900.0), START).ready
    found = judge(("api",), None, Seen(None, "it has not answered for 2 s", 0.0), START)
    assert not found.ready
    assert found.said["reasons"] == ["database: it has not answered for 2 s"]


def test_a_slot_that_stands_still_is_not_ready_once_the_leader_had_its_time() -> None:
    leading = progress("leading")
    still = Seen(SEEN, None, LATE_SECONDS + 9)
    leading.beat(str(START + LATE_SECONDS), START + LATE_SECONDS)
    assert judge(PARTS, leading, still, START + LATE_SECONDS - 1).ready
    leading.waiting = 2
    found = judge(PARTS, leading, still, START + LATE_SECONDS + 1)
    assert found.said["reasons"] == ["slot: it has stood still for 69 s; 2 commits are not visible yet"]


def test_a_message_that_does_not_come_back_is_lag() -> None:
    leading = progress("leading")
    assert leading.lag_seconds(START + BEAT_SECONDS) == 0.0
    late = START + BEAT_SECONDS + LATE_SECONDS + 5
    assert judge(PARTS, leading, WELL, late).said["reasons"] == ["lag: changes come 65 s late"]
    leading.beat(str(late - 70), late)
    assert leading.lag_seconds(late) == 70.0


def test_a_message_of_somebody_elses_is_no_measure() -> None:
    leading = progress("leading")
    leading.beat("settle", START + 5)
    assert leading.lag_seconds(START + 5) == 0.0
