"""What an engine's own cache interface is asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.delivery.cache_refresh import Call, compose, status
from sql.delivery import Claim
from tests.unit.outbox.samples import DAY, claim, night_claim

FIRST = DAY.toordinal()


def calls(*claims: Claim, today: date = DAY) -> list[tuple[str, list[Any]]]:
    """The calls that claims come to, with their bodies."""
    found = []
    for message in compose(claims, today).messages:
        assert isinstance(message, Call)
        found.append((message.type, [orjson.loads(body) for body in message.bodies]))
    return found


def nights(room_type: int, days: list[int], **fields: Any) -> Claim:
    return night_claim(room_type, days, [9] * len(days), [1] * len(days), **fields)


def test_content_is_one_call_each_however_much_of_it_changed() -> None:
    found = compose(
        [
            claim("hotel", 7, "", {}),
            nights(31, [FIRST]),
            claim("room_type", 7, "31", {}),
            claim("hotel", 8, "", {}),
            claim("room_type", 8, "4", None),
        ],
        DAY,
    )
    assert [message.type for message in found.messages] == [
        "update-hotels",
        "update-room-types",
        "refresh-availability",
    ]
    assert [[part.claim.hotel_id for part in message.parts] for message in found.messages] == [[7, 8], [7, 8], [7]]
    assert [message.hotel_id for message in found.messages] == [None, None, 7]
    assert found.silent == []


def test_nights_are_one_span_from_the_first_to_the_day_after_the_last() -> None:
    days = [FIRST, FIRST + 1, FIRST + 40]
    assert calls(nights(31, days), nights(32, [FIRST + 5])) == [
        (
            "refresh-availability",
            [{"hotel_id": 7, "room_type_id": 31, "start_date": "2026-12-28", "end_date": "2027-02-07"}],
        ),
        (
            "refresh-availability",
            [{"hotel_id": 7, "room_type_id": 32, "start_date": "2027-01-02", "end_date": "2027-01-03"}],
        ),
    ]


def test_the_whole_horizon_is_asked_for_in_two_pieces() -> None:
    (call,) = calls(nights(31, [FIRST + n for n in range(732)]))
    spans = [(body["start_date"], body["end_date"]) for body in call[1]]
    assert spans == [("2026-12-28", "2027-12-29"), ("2027-12-29", "2028-12-29")]


@given(st.sets(st.integers(FIRST, FIRST + 731), min_size=1))
def test_every_changed_night_is_asked_for_once(days: set[int]) -> None:
    ((_, bodies),) = calls(nights(31, sorted(days)))
    asked = [
        day
        for body in bodies
        for day in range(
            date.fromisoformat(body["start_date"]).toordinal(), date.fromisoformat(body["end_date"]).toordinal()
        )
    ]
    assert len(asked) == len(set(asked))
    assert days <= set(asked)
    assert (min(asked), max(asked)) == (min(days), max(days))
    assert len(bodies) <= 2


def test_nights_that_are_over_are_not_asked_for() -> None:
    days = [FIRST - 1, FIRST, FIRST + 1]
    ((_, bodies),) = calls(nights(31, days))
    assert [(body["start_date"], body["end_date"]) for body in bodies] == [("2026-12-28", "2026-12-30")]
    over = compose([nights(31, days)], DAY + timedelta(days=2))
    assert over.messages == []
    assert [version for _, version in over.silent] == [20]


@pytest.mark.parametrize("kind", ["plan", "rates", "booking"])
def test_what_the_engine_does_not_keep_is_not_spoken_of(kind: str) -> None:
    found = compose([claim(kind, 7, "1h", {"status": "confirmed"})], DAY)
    assert found.messages == []
    assert [version for _, version in found.silent] == [20]


def test_what_it_has_already_is_not_asked_for() -> None:
    known = claim("hotel", 7, "", {}, acked=20)
    vanished = claim("room_type", 7, "31", version=None, marked=15)
    found = compose([known, vanished, nights(31, [])], DAY)
    assert found.messages == []
    assert [version for _, version in found.silent] == [20, 15, 20]


def test_a_call_is_taken_or_rejected_as_a_whole() -> None:
    (message,) = compose([claim("hotel", 7, "", {}), claim("hotel", 8, "", {})], DAY).messages
    assert not message.divisible
    assert [part.version for part in message.parts] == [20, 20]


def test_a_call_is_another_for_another_version() -> None:
    def said(version: int) -> bytes:
        return compose([nights(31, [FIRST, FIRST + 3], version=version)], DAY).messages[0].data

    assert said(20) == said(20)
    assert said(20) != said(21)


def test_content_is_asked_for_without_naming_any() -> None:
    assert calls(claim("hotel", 7, "", {})) == [("update-hotels", [{}])]
    assert status().parts == ()
