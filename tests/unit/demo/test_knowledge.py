"""The booking engine's knowledge does not depend on the order in which messages come, nor on how often."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from deploy.demo.engine.knowledge import Held, Knowledge, Night


def booking(version: int, **fields: Any) -> dict[str, Any]:
    return {"hotel_id": 1, "booking_id": "a1", "check_out": "2030-01-05", "version": version} | fields


def availability(version: int, first: str, until: str, available: int) -> dict[str, Any]:
    span = {"from": first, "until": until, "sellable": 9, "occupied": 9 - available, "available": available}
    return {"hotel_id": 1, "room_types": [{"room_type_id": 7, "version": version, "ranges": [span]}]}


def snapshot(version: int, **fields: Any) -> dict[str, Any]:
    bookings = {"first": "0", "last": "f", "check_out_from": "2030-01-01", "ids": []}
    told = {"room_type_ids": [], "plan_keys": [], "bookings": bookings}
    return {"hotel_id": 1, "version": version} | told | fields


def test_documents_end_the_same_in_whatever_order_they_come() -> None:
    told = [(booking(1), False), (booking(2, status="hold"), False), (booking(3), True)]
    for order in permutations([*told, told[0]]):
        knowledge = Knowledge()
        for data, gone in order:
            knowledge.apply_document("booking", data, gone=gone)
        assert knowledge.documents == {("booking", 1, "a1"): Held(3, None)}


def test_a_document_that_is_old_news_changes_nothing() -> None:
    knowledge = Knowledge()
    assert knowledge.apply_document("booking", booking(5), gone=False) == (None, booking(5))
    assert knowledge.apply_document("booking", booking(5), gone=False) is None
    assert knowledge.apply_document("booking", booking(4, status="hold"), gone=False) is None
    assert knowledge.find("booking", 1, "a1") == booking(5)


def test_nights_end_the_same_in_whatever_order_they_come() -> None:
    told = [
        availability(1, "2030-01-01", "2030-01-04", 5),
        availability(2, "2030-01-02", "2030-01-03", 4),
        availability(3, "2030-01-03", "2030-01-04", 3),
    ]
    for order in permutations(told):
        knowledge = Knowledge()
        for data in order:
            knowledge.apply_nights(data)
        assert [night.available for _, night in sorted(knowledge.nights[1, 7].items())] == [5, 4, 3]


def test_only_nights_that_differ_are_told_on() -> None:
    knowledge = Knowledge()
    knowledge.apply_nights(availability(1, "2030-01-01", "2030-01-04", 5))
    knowledge.apply_nights(availability(2, "2030-01-02", "2030-01-03", 4))
    changed = knowledge.apply_nights(availability(3, "2030-01-01", "2030-01-04", 5))
    assert changed == {7: {"2030-01-02": Night(3, 9, 5)}}


def test_what_a_snapshot_covers_and_does_not_list_is_gone() -> None:
    knowledge = Knowledge()
    for number, version, check_out in (("a1", 5, "2030-02-01"), ("b1", 9, "2030-02-01"), ("c1", 5, "2029-12-31")):
        knowledge.apply_document("booking", booking(version, booking_id=number, check_out=check_out), gone=False)
    knowledge.apply_document("room_type", {"hotel_id": 1, "room_type_id": 7, "version": 5}, gone=False)
    knowledge.apply_document("room_type", {"hotel_id": 2, "room_type_id": 7, "version": 5}, gone=False)
    knowledge.apply_snapshot(snapshot(6))
    living = {(body["hotel_id"], body["booking_id"]) for body in knowledge.living("booking")}
    assert living == {(1, "b1"), (1, "c1")}, "newer than the snapshot, and before its window"
    assert [body["hotel_id"] for body in knowledge.living("room_type")] == [2], "another hotel's is not spoken of"


def test_a_snapshot_of_some_digits_says_nothing_of_the_others() -> None:
    knowledge = Knowledge()
    for number in ("a1", "b1"):
        knowledge.apply_document("booking", booking(5, booking_id=number), gone=False)
    part = {"first": "b", "last": "b", "check_out_from": "2030-01-01", "ids": []}
    knowledge.apply_snapshot(snapshot(6, bookings=part, room_type_ids=None, plan_keys=None))
    assert [body["booking_id"] for body in knowledge.living("booking")] == ["a1"]


def test_the_first_sync_is_closed_when_every_hotel_has_all_its_digits() -> None:
    knowledge = Knowledge()
    assert not knowledge.all_closed
    for hotel in (1, 2):
        knowledge.apply_document("hotel", {"hotel_id": hotel, "version": 1}, gone=False)
    knowledge.apply_snapshot(snapshot(6))
    for digit in "0123456789abcdef":
        assert not knowledge.all_closed
        part = {"first": digit, "last": digit, "check_out_from": "2030-01-01", "ids": []}
        knowledge.apply_snapshot(snapshot(6, hotel_id=2, bookings=part))
    assert knowledge.all_closed
