"""What `roomwire status` says, to a person and to a program."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from daemon.cli.status import Status
from daemon.cli.status_json import as_json
from daemon.cli.status_text import as_text, troubles
from daemon.replication.slot import SlotState
from sql.endpoints import Overview
from sql.feed import Lagging, Standing
from sql.replay import Replay
from sql.scopes import Work
from sql.sync import Count
from sql.watch import Failure, Holder, Refused
from tests.unit.metrics.samples import ENDPOINT, NOW, SEEN, SLOT

WELL = Status(SEEN, None, 0, None, {"booking": 1200, "hotel": 2}, [], [])
WORK = [
    Work(1, "booking", 1, "the first start", "abc", 300, 500),
    Work(2, "booking", 2, "the first start", None, 0, None),
]


SINCE = int((NOW - timedelta(minutes=2)).timestamp() * 1e6)


PENDING = Count("pending", 2, NOW - timedelta(minutes=2))


def cursor(**changes: Any) -> Lagging:
    return SEEN.cursors[0]._replace(**changes)


def paused(reason: str, **changes: Any) -> Overview:
    return replace(ENDPOINT, status="paused", reason=reason, **changes)


def seen(**changes: Any) -> Status:
    return replace(WELL, seen=replace(SEEN, **changes))


def line(status: Status, name: str) -> str:
    return next(line for line in as_text(status).splitlines() if line.startswith(name))


def test_when_all_is_well_it_says_so() -> None:
    text = as_text(WELL)
    assert text.splitlines()[0] == "2026-03-01 03:00:00 UTC  All is well."
    assert "roomwire capture from 10.0.0.5, pid 4711 of the server, for 5 h" in text
    assert line(WELL, "lag") == "lag        0.2 s, 1.0 kB of log not confirmed"
    assert "engine  behind on 3 keys, the oldest for 90 s" in text
    assert line(WELL, "documents") == "documents  1,200 booking, 2 hotel"
    assert line(WELL, "work") == "work       none left"
    assert line(WELL, "feed") == "feed       position 1772334000000000, given 0 s ago"
    assert line(WELL, "bookings") == "bookings   every one went through"
    assert "  website of web  behind on 4 events, the oldest for 60 s" in text


@pytest.mark.parametrize(
    ("status", "begins"),
    [
        (seen(slot=SlotState(exists=False), sender=None), "slot roomwire does not exist"),
        (seen(slot=replace(SLOT, wal_status="lost"), sender=None), "slot roomwire is lost (lost)"),
        (seen(slot=replace(SLOT, active_pid=None), sender=None), "NOBODY LEADS: 1.0 kB of log wait"),
        (seen(slot=replace(SLOT, wal_status="unreserved")), "the server is about to give the slot up"),
        (seen(checkpoint_age=300.0), "changes come 5 min late"),
        (seen(endpoints=[replace(ENDPOINT, failures=4)]), "endpoint engine does not answer"),
        (
            seen(endpoints=[paused("by its operator")]),
            "endpoint engine is paused (by its operator): `roomwire endpoint",
        ),
        (seen(endpoints=[replace(ENDPOINT, status="disabled", reason="410")]), "endpoint engine is disabled (410)"),
        (seen(endpoints=[replace(ENDPOINT, rejected=2)]), "endpoint engine refuses 2 keys"),
        (seen(feed=Standing(1, SINCE)), "changes have waited 2 min for their place in the feed"),
        (seen(cursors=[cursor(expired=True)]), "cursor website of web has missed events"),
        (seen(cursors=[cursor(oldest=SINCE - 7_200_000_000)]), "cursor website of web is 2 h late"),
        (seen(conflicts=3), "3 nights of bookings are in rooms that another stay has, too"),
        (seen(bookings=[PENDING]), "2 bookings are not decided, one for 2 min: their engine has to ask again"),
    ],
)
def test_what_needs_somebody_comes_first(status: Status, begins: str) -> None:
    assert [trouble for trouble in troubles(status) if trouble.startswith(begins)]
    assert as_text(status).splitlines()[0].endswith("LOOK HERE:")
    assert as_text(status).splitlines()[1].startswith(f"  - {begins}")


def test_what_is_not_synced_is_counted_and_only_what_waits_is_trouble() -> None:
    status = seen(bookings=[Count("failed", 7, NOW - timedelta(days=3)), PENDING._replace(oldest=NOW)])
    assert line(status, "bookings") == "bookings   7 failed, 2 pending"
    assert list(troubles(status)) == []
    assert json.loads(as_json(status))["bookings"] == {"failed": 7, "pending": 2}


@pytest.mark.parametrize(
    ("holder", "ends"),
    [
        (None, "held by no long transaction: it moves with the server's next snapshot"),
        (
            Holder("pid 9, pms", "pms", NOW - timedelta(hours=3), 5),
            "pid 9, pms in pms, whose transaction has been open for 3 h",
        ),
        (
            Holder("pid 9, pms", "pms", NOW, 5000),
            "held by no long transaction: it moves with the server's next snapshot",
        ),
        (
            Holder("pid 9, pms", "pms", None, 5000),
            "held by pid 9, pms in pms: 5,000 transactions have begun since its own",
        ),
        (
            Holder("pid 9, pms", "pms", None, 5),
            "held by no long transaction: it moves with the server's next snapshot",
        ),
    ],
)
def test_what_keeps_the_log_is_named(holder: Holder | None, ends: str) -> None:
    assert line(replace(WELL, holder=holder), "log kept").endswith(ends)


def test_log_that_is_not_confirmed_is_kept_for_us() -> None:
    assert line(seen(written=0x9000), "log kept").endswith("for what is not confirmed yet")


def test_a_slot_beyond_its_limit_has_nothing_left() -> None:
    slot = replace(SLOT, wal_status="unreserved", safe_wal_size=-2_000_000)
    assert line(seen(slot=slot), "slot").endswith("unreserved, 0 bytes until it is lost")


def test_durable_work_has_an_estimate() -> None:
    working = replace(seen(work=WORK), keys_left=900, keys_per_second=30.0)
    assert line(working, "work") == (
        "work       booking of hotel 1: 300 of 500, 1 more to do; 900 keys left, 30/s, about 30 s left"
    )
    assert line(replace(working, keys_per_second=None), "work").endswith("900 keys left, it is not moving")


def test_a_database_that_was_put_back_is_told_of_for_good_and_is_urgent_while_engines_are_told() -> None:
    assert SEEN.checkpoint is not None
    stored = replace(SEEN.checkpoint, restored_at=NOW - timedelta(minutes=9), restored="the slot is gone")
    put_back = seen(checkpoint=stored)
    assert line(put_back, "restored") == "restored   9 min ago: the slot is gone"
    assert json.loads(as_json(put_back))["checkpoint"]["restored"] == "the slot is gone"
    assert list(troubles(put_back)) == []
    (trouble,) = troubles(
        seen(checkpoint=stored, work=[Work(1, "versions", None, "the slot is gone", None, 0, None)])
    )
    assert "everything is being sent again" in trouble
    assert "restored" not in as_text(WELL)


def test_replays_that_are_under_way_are_shown() -> None:
    replay = Replay(3, "engine", "it is told of more", [7], ["booking"], None, 40_000, 12_000, NOW, None, None)
    said = as_text(replace(WELL, replays=[replay]))
    assert (
        "  replay 3 to engine, booking of hotel 7: 12,000 of 40,000 documents queued  (it is told of more)" in said
    )
    assert json.loads(as_json(replace(WELL, replays=[replay])))["replays"][0]["marked"] == 12_000


def test_last_failures_and_refused_keys_are_listed_once() -> None:
    failed = replace(
        WELL,
        failures=[Failure("engine", NOW - timedelta(minutes=9), "booking.updated", "rejected", "HTTP 422")],
        refused=[Refused("engine", "booking", 1, "b1", NOW, "HTTP 422")],
    )
    assert "  engine: booking.updated 9 min ago: HTTP 422" in as_text(failed)
    assert "  engine: booking:1:b1: HTTP 422" in as_text(failed)
    down = paused("3 failures in a row, the last: no answer", failures=3, last_error="no answer", retry_at=NOW)
    text = as_text(replace(failed, seen=replace(SEEN, endpoints=[down])))
    assert "3 failures in a row, next try 03:00:00: no answer" in text
    assert text.count("no answer") == 1
    assert "9 min ago" not in text


def test_json_says_the_same_and_shows_no_secret() -> None:
    said = json.loads(as_json(WELL))
    assert (said["ok"], said["troubles"], said["lag_seconds"]) == (True, [], 0.25)
    assert said["slot"]["confirmed_lsn"] == "0/2000"
    assert (said["slot"]["confirmed_lag_bytes"], said["slot"]["restart_lag_bytes"]) == (0x400, 0x1400)
    assert said["leader"]["since"] == "2026-02-28T22:00:00+00:00"
    assert said["checkpoint"] == {
        "end_lsn": "0/2000",
        "age_seconds": 2.0,
        "committed_at": "2026-03-01T02:59:55+00:00",
        "epoch": 3,
        "horizon": "2026-03-01",
        "restored_at": None,
        "restored": None,
    }
    assert [endpoint["url"] for endpoint in said["endpoints"]] == ["https://engine.example/hook?…"]
    assert "SECRET" not in as_json(WELL) + as_text(WELL)
