"""When the stream can close the distance from the checkpoint to now, and when only a resync can."""

from __future__ import annotations

from datetime import date

import pytest

from daemon.leadership import gap
from daemon.replication.slot import SlotState
from daemon.replication.stream import System
from sql.checkpoint import Checkpoint

SYSTEM = System("7500", 1, 500)


def stored(*, system_id: str = "7500", timeline: int = 1, end_lsn: int = 300) -> Checkpoint:
    return Checkpoint(system_id, timeline, 1, end_lsn, None, date(2026, 11, 23))


@pytest.mark.parametrize(
    ("checkpoint", "confirmed", "reason"),
    [
        (stored(), 300, None),
        (stored(), 200, None),
        (stored(), None, None),
        (stored(), 301, "the slot is newer than the checkpoint"),
        (None, 300, "the first start"),
        (None, None, "the first start"),
        (stored(system_id="7501"), 300, "the database is another cluster"),
        (stored(timeline=2), 300, "the database was promoted or restored"),
        (stored(system_id="7501", timeline=2, end_lsn=0), 300, "the database is another cluster"),
    ],
)
def test_only_a_slot_that_kept_everything_since_the_checkpoint_leaves_no_gap(
    checkpoint: Checkpoint | None, confirmed: int | None, reason: str | None
) -> None:
    slot = SlotState(exists=True, here=True, plugin="pgoutput", confirmed_flush_lsn=confirmed)
    assert gap(checkpoint, SYSTEM, slot) == reason
