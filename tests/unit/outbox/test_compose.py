"""From claims to messages."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.delivery.compose import Message, compose, heartbeat, ranges, snapshot
from outbox.messages import parse
from outbox.messages.examples import BOOKING, HOTEL, PLAN, RATES, ROOM_TYPE
from sql.delivery import Claim, Live
from tests.unit.outbox.samples import COMMITTED, claim, night_claim

BOOKING_ID = BOOKING["booking_id"]
DAY = date(2026, 12, 28).toordinal()


def only(claimed: Claim, *, guest_data: bool = True) -> Message:
    """The one message that a claim comes to."""
    (message,) = compose([claimed], guest_data=guest_data, max_bytes=20_000).messages
    parse(message.body())
    return message


def data(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(message.body())["data"]
    return found


@pytest.mark.parametrize(
    ("kind", "number", "body"),
    [
        ("hotel", "", HOTEL),
        ("room_type", "31", ROOM_TYPE),
        ("plan", "2h18", PLAN),
        ("rates", "2h18", RATES),
        ("booking", BOOKING_ID, BOOKING),
    ],
)
def test_a_document_is_sent_whole_with_its_version(kind: str, number: str, body: dict[str, Any]) -> None:
    message = only(claim(kind, 7, number, body))
    assert message.type == f"{kind}.updated"
    assert data(message) == body | {"version": 20}
    assert orjson.loads(message.body())["timestamp"] == "2026-11-23T05:14:56.118204Z"


@pytest.mark.parametrize(
    ("kind", "number", "key"),
    [
        ("hotel", "", {}),
        ("room_type", "31", {"room_type_id": 31}),
        ("plan", "2h18", {"plan_key": "2h18"}),
        ("rates", "2h18", {"plan_key": "2h18"}),
        ("booking", BOOKING_ID, {"booking_id": BOOKING_ID}),
    ],
)
def test_a_tombstone_is_sent_as_its_key(kind: str, number: str, key: dict[str, Any]) -> None:
    message = only(claim(kind, 7, number))
    assert message.type == f"{kind}.deleted"
    assert data(message) == {"hotel_id": 7, "version": 20} | key


@pytest.mark.parametrize(
    ("status", "born", "happened"),
    [
        ("confirmed", 20, "created"),
        ("confirmed", 10, "updated"),
        ("cancelled", 20, "cancelled"),
        ("cancelled", 10, "cancelled"),
        ("no_show", 10, "updated"),
    ],
)
def test_the_type_follows_from_the_document_alone(status: str, born: int, happened: str) -> None:
    for acked in (0, 10):
        claimed = claim("booking", 7, BOOKING_ID, BOOKING | {"status": status}, born=born, acked=acked)
        assert only(claimed).type == f"booking.{happened}"


def test_only_endpoints_that_may_learn_of_people_do() -> None:
    claimed = claim("booking", 7, BOOKING_ID, BOOKING)
    said = data(only(claimed, guest_data=False))
    assert said["guest"] is said["comment"] is None
    assert [night["guests"] for night in said["nights"]] == [[]]
    for word in ("佐藤", "サトウ", "misaki", "090-5555", "22時"):
        assert word in only(claimed).body().decode()
        assert word not in only(claimed, guest_data=False).body().decode()


@pytest.mark.parametrize(
    "claimed",
    [
        claim("availability", 7, "31", None),
        claim("availability", 7, "31", {}, days=[]),
        claim("booking", 7, BOOKING_ID, None, acked=0),
        claim("booking", 7, BOOKING_ID, None, version=None),
        claim("booking", 7, BOOKING_ID, BOOKING, version=10),
    ],
    ids=["room type gone", "no night changed", "never sent", "document gone", "acknowledged since"],
)
def test_nothing_is_said_where_there_is_nothing_to_say(claimed: Claim) -> None:
    composed = compose([claimed], guest_data=True, max_bytes=20_000)
    assert composed.messages == []
    assert composed.silent == [(claimed, claimed.version or claimed.marked)]


def test_what_the_endpoint_may_have_is_deleted_though_it_never_said_so() -> None:
    assert only(claim("booking", 7, BOOKING_ID, None, acked=0, sent=True)).type == "booking.deleted"


def test_room_types_of_a_hotel_share_a_message_and_hotels_do_not() -> None:
    claims = [night_claim(n, [DAY], [5], [2], hotel_id=hotel) for hotel in (7, 8) for n in (31, 32)]
    messages = compose(claims, guest_data=True, max_bytes=20_000).messages
    assert [(m.hotel_id, [t["room_type_id"] for t in data(m)["room_types"]]) for m in messages] == [
        (7, [31, 32]),
        (8, [31, 32]),
    ]
    assert len(messages[0].parts) == 2


def test_a_message_is_as_new_as_its_newest_part() -> None:
    later = COMMITTED + timedelta(seconds=3)
    claims = [night_claim(31, [DAY], [5], [2]), night_claim(32, [DAY], [5], [2], committed_at=later)]
    (message,) = compose(claims, guest_data=True, max_bytes=20_000).messages
    assert message.timestamp == later


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
    st.integers(1_000, 6_000),
)
def test_messages_keep_their_size_unless_a_single_part_is_larger(lengths: list[int], limit: int) -> None:
    claims = [
        night_claim(number, [DAY + n for n in range(length)], [9] * length, [n % 2 for n in range(length)])
        for number, length in enumerate(lengths)
    ]
    messages = compose(claims, guest_data=True, max_bytes=limit).messages
    assert [part.claim for message in messages for part in message.parts] == claims
    for message in messages:
        assert len(message.body()) <= limit or len(message.parts) == 1
    for message, following in itertools.pairwise(messages):
        assert len(message.body()) + len(following.parts[0].said) > limit - 200


def test_halves_say_together_what_the_whole_said() -> None:
    claims = [night_claim(n, [DAY], [5], [2]) for n in range(5)]
    (message,) = compose(claims, guest_data=True, max_bytes=20_000).messages
    first, second = message.halves()
    assert data(first)["room_types"] + data(second)["room_types"] == data(message)["room_types"]
    assert [len(half.parts) for half in (first, second)] == [2, 3]


nights = st.dictionaries(st.integers(700_000, 700_060), st.tuples(st.integers(0, 2), st.integers(0, 2)))


@given(nights)
def test_ranges_say_exactly_the_nights_in_as_few_words_as_possible(
    given_nights: dict[int, tuple[int, int]],
) -> None:
    days = sorted(given_nights)
    found = ranges(days, [given_nights[day][0] for day in days], [given_nights[day][1] for day in days])
    said = {
        day: (span["sellable"], span["occupied"])
        for span in found
        for day in range(span["from"].toordinal(), span["until"].toordinal())
    }
    assert said == given_nights
    for span, following in itertools.pairwise(found):
        alike = (span["sellable"], span["occupied"]) == (following["sellable"], following["occupied"])
        assert span["until"] < following["from"] or (span["until"] == following["from"] and not alike)
    assert all(span["available"] == max(0, span["sellable"] - span["occupied"]) for span in found)


@pytest.mark.parametrize(("number", "listed"), [("0-f", True), ("0-0", True), ("3-3", False)])
def test_a_snapshot_lists_what_its_digits_cover(number: str, listed: bool) -> None:
    live = Live(date(2026, 10, 24), [31, 32], ["1h"], [BOOKING_ID])
    message = snapshot(claim("snapshot", 7, number, marked=99, version=None), live)
    parse(message.body())
    said = data(message)
    assert (said["version"], message.parts[0].version) == (99, 99)
    assert said["room_type_ids"] == ([31, 32] if listed else None)
    assert said["plan_keys"] == (["1h"] if listed else None)
    assert said["bookings"]["first"] + "-" + said["bookings"]["last"] == number
    assert said["bookings"]["ids"] == [BOOKING_ID]


@pytest.mark.parametrize("as_of", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_heartbeat_says_how_far_things_are(as_of: datetime | None) -> None:
    message = parse(heartbeat(as_of, 12).body())
    assert message.type == "heartbeat"
    assert (message.data.as_of, message.data.behind) == (as_of, 12)
