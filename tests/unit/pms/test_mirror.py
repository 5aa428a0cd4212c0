"""The mirror believes messages, keeps the newest, and notices broken rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.mirror import Mirror
from tests.support.mirror.process import dump, load
from tests.support.mirror.state import keys_in
from tests.unit.pms.messages import booking, message, nights, room_type, snapshot

BOOKING = ("booking", 1, "a1")


def told(*messages: dict[str, Any]) -> Mirror:
    """A mirror that got these messages, each with an id of its own."""
    mirror = Mirror()
    for number, one in enumerate(messages):
        mirror.receive(f"msg_{number}", one)
    return mirror


def rules(mirror: Mirror) -> list[str]:
    return [violation.rule for violation in mirror.violations]


def test_a_document_is_what_the_newest_message_says() -> None:
    mirror = told(booking("created", 5), booking("updated", 9, comment="窓側"))
    assert mirror.documents[BOOKING]["comment"] == "窓側"
    assert "version" not in mirror.documents[BOOKING]
    assert not mirror.violations


@pytest.mark.parametrize("event", ["created", "updated"])
def test_any_upsert_makes_a_key_known(event: str) -> None:
    assert BOOKING in told(booking(event, 5)).documents


def test_a_deleted_key_is_gone_and_an_older_word_does_not_bring_it_back() -> None:
    mirror = told(booking("created", 5), booking("deleted", 9), booking("updated", 7))
    assert BOOKING not in mirror.documents
    assert mirror.stale == 1
    assert rules(mirror) == ["version"]


def test_a_deleted_key_comes_back_with_a_newer_version() -> None:
    mirror = told(booking("created", 5), booking("deleted", 9), booking("created", 12))
    assert BOOKING in mirror.documents
    assert not mirror.violations


def test_the_same_message_again_is_no_offence() -> None:
    mirror = Mirror()
    for second in range(2):
        mirror.receive("msg_1", booking("created", 5) | {"timestamp": f"2026-11-23T00:00:0{second}Z"})
    assert not mirror.violations
    assert mirror.counts["booking.created"] == 2


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        (booking("updated", 4, comment="x"), "version"),
        (booking("updated", 5, comment="x"), "content"),
        (booking("cancelled", 6), "form"),
        (booking("updated", 6, status="cancelled"), "form"),
        (message("rumour.spread"), "form"),
    ],
)
def test_broken_rules_are_recorded(second: dict[str, Any], rule: str) -> None:
    assert rules(told(booking("created", 5), second)) == [rule]


def test_a_stale_word_is_not_applied() -> None:
    assert told(booking("created", 5), booking("updated", 4, comment="x")).documents[BOOKING]["comment"] is None


def test_one_id_for_two_contents_is_an_offence() -> None:
    mirror = Mirror()
    mirror.receive("msg_1", booking("created", 5))
    mirror.receive("msg_1", booking("updated", 6, comment="x"))
    assert rules(mirror) == ["webhook-id"]


def test_two_ids_for_one_content_are_an_offence() -> None:
    assert rules(told(booking("created", 5), booking("created", 5))) == ["webhook-id"]


def test_heartbeats_differ_by_their_time() -> None:
    beats = [
        message("heartbeat", as_of=None, behind=0) | {"timestamp": f"2026-11-23T00:00:0{n}Z"} for n in range(2)
    ]
    assert not told(*beats).violations
    assert rules(told(beats[0], beats[0])) == ["webhook-id"]


def test_ranges_become_nights_each_with_its_version() -> None:
    mirror = told(
        room_type(1),
        nights(5, ("2026-12-30", "2027-01-02", 4, 1)),
        nights(8, ("2026-12-31", "2027-01-01", 4, 2)),
    )
    assert mirror.nights == {
        (1, 7, "2026-12-30"): (4, 1),
        (1, 7, "2026-12-31"): (4, 2),
        (1, 7, "2027-01-01"): (4, 1),
    }
    assert not mirror.violations


def test_nights_of_a_version_that_fell_are_refused_where_they_differ() -> None:
    mirror = told(
        room_type(1),
        nights(8, ("2026-12-30", "2026-12-31", 4, 1)),
        nights(5, ("2026-12-30", "2027-01-01", 4, 2)),
    )
    assert mirror.nights == {(1, 7, "2026-12-30"): (4, 1), (1, 7, "2026-12-31"): (4, 2)}
    assert rules(mirror) == ["version"]


def test_nights_may_come_before_their_room_type_and_go_with_it() -> None:
    early = told(nights(5, ("2026-12-30", "2026-12-31", 4, 1)))
    assert early.nights == {}
    early.receive("later", room_type(6))
    assert early.nights == {(1, 7, "2026-12-30"): (4, 1)}
    early.receive("gone", room_type(7, event="deleted"))
    assert early.nights == {}


@pytest.mark.parametrize(
    "span",
    [
        {"from": "2026-12-30", "until": "2026-12-31", "sellable": 4, "occupied": 1, "available": 4},
        {"from": "2026-12-30", "until": "2026-12-30", "sellable": 4, "occupied": 1, "available": 3},
    ],
)
def test_an_impossible_range_is_an_offence(span: dict[str, Any]) -> None:
    bad = message("availability.updated", room_types=[{"room_type_id": 7, "version": 1, "ranges": [span]}])
    assert rules(told(bad)) == ["form"]


def known_after(last: dict[str, Any]) -> Iterable[tuple[str, int, str]]:
    """What is left of two bookings, a room type and a plan, all of version 5, after a snapshot."""
    first = [
        booking("created", 5, number="a1"),
        booking("created", 5, number="e9"),
        room_type(5),
        message("plan.updated", plan_key="3h", version=5),
        message("hotel.updated", version=5),
    ]
    return told(*first, last).documents.keys()


def test_what_a_snapshot_does_not_list_is_gone() -> None:
    assert known_after(snapshot(9)) == {("hotel", 1, "")}


def test_a_snapshot_keeps_what_it_lists_and_what_is_newer() -> None:
    listed = snapshot(9, room_type_ids=[7], plan_keys=["3h"])
    assert known_after(listed) == {("hotel", 1, ""), ("room_type", 1, "7"), ("plan", 1, "3h")}
    assert len(set(known_after(snapshot(4)))) == 5


def test_a_snapshot_speaks_only_of_its_part() -> None:
    part = {"first": "e", "last": "f", "check_out_from": "2026-10-24", "ids": []}
    left = known_after(snapshot(9, room_type_ids=None, plan_keys=None, bookings=part))
    assert ("booking", 1, "a1") in left
    assert ("booking", 1, "e9") not in left
    assert ("room_type", 1, "7") in left
    later = {"first": "0", "last": "f", "check_out_from": "2026-12-02", "ids": []}
    assert ("booking", 1, "e9") in known_after(snapshot(9, bookings=later))


def test_a_snapshot_of_another_hotel_changes_nothing() -> None:
    assert len(set(known_after(snapshot(9, hotel_id=2)))) == 5


def test_the_delay_counts_from_the_commit() -> None:
    mirror = Mirror()
    mirror.receive("msg_1", booking("created", 5), datetime(2026, 11, 23, 0, 0, 2, tzinfo=UTC))
    mirror.receive("msg_2", message("heartbeat", as_of=None, behind=0))
    assert mirror.delays == [2.0]
    assert mirror.heartbeat == {"hotel_id": 1, "as_of": None, "behind": 0}


def test_a_message_names_its_keys() -> None:
    assert keys_in(booking("created", 5)) == [BOOKING]
    assert keys_in(nights(5)) == [("availability", 1, "7")]
    assert keys_in(message("hotel.updated", version=1)) == [("hotel", 1, "")]
    assert keys_in(snapshot(9)) == [("snapshot", 1, "")]
    assert keys_in(message("heartbeat")) == []


def test_a_mirror_survives_being_written_down() -> None:
    mirror = told(booking("created", 5), booking("deleted", 4), nights(5, ("2026-12-30", "2027-01-02", 4, 1)))
    copy = load(dump(mirror))
    assert (copy.held, copy.held_nights, copy.counts) == (mirror.held, mirror.held_nights, mirror.counts)
    assert copy.violations == mirror.violations
    assert copy.violations
