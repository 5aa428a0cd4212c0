"""When the stream can close the distance from the checkpoint to now, and when engines may know more than we do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from daemon.gap import Found
from daemon.replication.slot import SlotState
from daemon.replication.stream import System
from sql.checkpoint import Checkpoint

SLOT = SlotState(exists=True, here=True, plugin="pgoutput", confirmed_flush_lsn=300)
SYSTEM = System("7500", 1, 500)
NONE = SlotState(exists=False)
LOST = replace(SLOT, wal_status="lost")
FURTHER = replace(SLOT, confirmed_flush_lsn=301)
STORED = Checkpoint("7500", 1, 4, 300, None, date(2026, 11, 23))
NEVER, LAST, BEFORE = (0, 0), (4, 300), (3, 200)
"""A process that never led, that led last, and that led before another did: epoch, and its checkpoint then."""


@pytest.mark.parametrize("led", [NEVER, LAST, BEFORE, (4, 200), (3, 900)])
@pytest.mark.parametrize("confirmed", [None, 200, 300])
def test_a_slot_that_kept_everything_since_the_checkpoint_leaves_no_gap(
    confirmed: int | None, led: tuple[int, int]
) -> None:
    slot = replace(SLOT, confirmed_flush_lsn=confirmed)
    found = Found(SYSTEM, slot, slot, *led)
    assert (found.gap(STORED), found.put_back(STORED)) == (None, None)


@pytest.mark.parametrize(
    ("stored", "before", "led", "reason"),
    [
        (None, SLOT, NEVER, "the first start"),
        (None, NONE, NEVER, "the first start"),
        (STORED, LOST, NEVER, "the slot is newer than the checkpoint"),
        (STORED, LOST, BEFORE, "the slot is newer than the checkpoint"),
        (STORED, NONE, LAST, "the slot is newer than the checkpoint"),
        (STORED, FURTHER, LAST, "the slot is newer than the checkpoint"),
    ],
)
def test_what_the_stream_does_not_tell_is_compared(
    stored: Checkpoint | None, before: SlotState, led: tuple[int, int], reason: str
) -> None:
    found = Found(SYSTEM, before, FURTHER, *led)
    assert (found.gap(stored), found.put_back(stored)) == (reason, None)


@pytest.mark.parametrize(
    ("stored", "before", "led", "reason"),
    [
        (replace(STORED, system_id="7501"), SLOT, LAST, "the database is another cluster"),
        (replace(STORED, system_id="7501", timeline=2, end_lsn=0), NONE, NEVER, "the database is another cluster"),
        (replace(STORED, copied=True), SLOT, LAST, "the database was restored from a dump"),
        (replace(STORED, timeline=0), SLOT, LAST, "the database was restored or promoted"),
        (replace(STORED, timeline=0), NONE, NEVER, "the database was restored or promoted"),
        (replace(STORED, timeline=0), LOST, NEVER, "the database was restored or promoted"),
        (replace(STORED, timeline=2), SLOT, LAST, "the database was restored or promoted"),
        (STORED, SLOT, (4, 301), "the checkpoint has gone back"),
        (STORED, SLOT, (5, 200), "the checkpoint has gone back"),
        (STORED, LOST, (5, 200), "the checkpoint has gone back"),
        (STORED, NONE, NEVER, "the slot is gone, as after a restore"),
        (STORED, NONE, BEFORE, "the slot is gone, as after a restore"),
        (STORED, FURTHER, NEVER, "the checkpoint is older than the slot"),
        (STORED, FURTHER, BEFORE, "the checkpoint is older than the slot"),
    ],
)
def test_engines_may_know_more_than_a_database_that_was_put_back(
    stored: Checkpoint, before: SlotState, led: tuple[int, int], reason: str
) -> None:
    found = Found(SYSTEM, before, FURTHER, *led)
    assert (found.gap(stored), found.put_back(stored)) == (reason, reason)
