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
FOUND = Found(System("7500", 1, 500), SLOT, SLOT, known_lsn=300)
NONE = SlotState(exists=False)
LOST = replace(SLOT, wal_status="lost")
SYNCED = replace(SLOT, synced=True)
STORED = Checkpoint("7500", 1, 1, 300, None, date(2026, 11, 23))
PROMOTED = replace(STORED, timeline=0)


@pytest.mark.parametrize("known", [0, 200, 300])
@pytest.mark.parametrize("confirmed", [None, 200, 300])
def test_a_slot_that_kept_everything_since_the_checkpoint_leaves_no_gap(confirmed: int | None, known: int) -> None:
    slot = replace(SLOT, confirmed_flush_lsn=confirmed)
    found = Found(FOUND.system, slot, slot, known)
    assert (found.gap(STORED), found.put_back(STORED)) == (None, None)


@pytest.mark.parametrize(
    ("stored", "before", "known", "reason"),
    [
        (None, SLOT, 0, "the first start"),
        (None, NONE, 0, "the first start"),
        (STORED, LOST, 0, "the slot is newer than the checkpoint"),
        (STORED, NONE, 300, "the slot is newer than the checkpoint"),
        (PROMOTED, SYNCED, 0, "the database was promoted"),
        (PROMOTED, SYNCED, 300, "the database was promoted"),
    ],
)
def test_what_the_stream_does_not_tell_is_compared(
    stored: Checkpoint | None, before: SlotState, known: int, reason: str
) -> None:
    found = Found(FOUND.system, before, replace(SLOT, confirmed_flush_lsn=301), known)
    assert (found.gap(stored), found.put_back(stored)) == (reason, None)


@pytest.mark.parametrize(
    ("stored", "before", "known", "reason"),
    [
        (replace(STORED, system_id="7501"), SLOT, 0, "the database is another cluster"),
        (replace(STORED, system_id="7501", timeline=2, end_lsn=0), NONE, 0, "the database is another cluster"),
        (replace(STORED, copied=True), SLOT, 0, "the database was restored from a dump"),
        (PROMOTED, SLOT, 300, "the database was restored or promoted"),
        (PROMOTED, NONE, 0, "the database was restored or promoted"),
        (PROMOTED, LOST, 0, "the database was restored or promoted"),
        (PROMOTED, SYNCED, 301, "the checkpoint has gone back"),
        (STORED, SLOT, 301, "the checkpoint has gone back"),
        (STORED, NONE, 0, "the slot is gone, as after a restore"),
        (STORED, replace(SLOT, confirmed_flush_lsn=301), 0, "the checkpoint is older than the slot"),
    ],
)
def test_engines_may_know_more_than_a_database_that_was_put_back(
    stored: Checkpoint, before: SlotState, known: int, reason: str
) -> None:
    found = Found(FOUND.system, before, replace(SLOT, confirmed_flush_lsn=301), known)
    assert (found.gap(stored), found.put_back(stored)) == (reason, reason)
