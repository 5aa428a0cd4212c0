"""A line of the page's list says what happened in people's words."""

from __future__ import annotations

from typing import Any

from deploy.demo.engine.feed import line
from deploy.demo.engine.knowledge import Knowledge


def test_a_line_says_what_changed_in_peoples_words() -> None:
    knowledge = Knowledge()
    knowledge.apply_document("hotel", {"hotel_id": 1, "name": "東雲ホテル", "version": 1}, gone=False)
    twin = {"hotel_id": 1, "room_type_id": 7, "name": "ツイン", "version": 1}
    knowledge.apply_document("room_type", twin, gone=False)
    night = {"room_type_id": 7, "date": "2030-01-01"}
    before: dict[str, Any] = {
        "hotel_id": 1, "booking_id": "a1", "version": 1, "status": "hold", "type": "default", "agent": None,
        "check_in": "2030-01-01", "check_out": "2030-01-02", "total": 0, "guest": {"name": "髙﨑 蓮"},
        "nights": [night, night],
    }  # fmt: skip
    after = before | {"version": 2, "check_in": "2029-12-31", "check_out": "2030-01-03", "total": 8000}
    told = line(knowledge, "updated", before, after, 4.26)
    assert told["changed"] == ["dates", "total"]
    assert told["room_types"] == [{"name": "ツイン", "rooms": 2}]
    assert (told["hotel"], told["guest"], told["nights"]) == ("東雲ホテル", "髙﨑 蓮", 3)
    assert (told["channel"], told["delay"]) == ("front desk", 4.3)
