"""One line per booking message: what happened, to whom, and how long the news took."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from deploy.demo.engine.knowledge import Document, Knowledge

_UNTOLD = {"version", "hotel_id", "booking_id"}
_WORDS = {
    "check_in": "dates",
    "check_out": "dates",
    "check_in_time": "times",
    "check_out_time": "times",
    "number_of_people": "people",
    "payment_timing": "payment",
    "external_id": "channel",
    "agent": "channel",
}
"""What people call a changed field, where that is not its name."""


def line(
    knowledge: Knowledge, event: str, before: Document | None, after: Document | None, delay: float
) -> dict[str, Any]:
    """Describe a booking's change for the page.

    Args:
        knowledge: What names are taken from.
        event: created, updated, cancelled or deleted.
        before: The booking as it was held, None if it was not.
        after: The booking as it is now, None if it is gone.
        delay: Milliseconds since the PMS's commit.
    """
    booking = after or before or {}
    hotel = knowledge.find("hotel", booking.get("hotel_id", 0), booking.get("hotel_id", 0)) or {}
    check_in, check_out = booking.get("check_in"), booking.get("check_out")
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": event,
        "changed": _changed(before, after) if before and after else [],
        "booking_id": booking.get("booking_id"),
        "hotel_id": booking.get("hotel_id"),
        "hotel": hotel.get("name"),
        "guest": (booking.get("guest") or {}).get("name"),
        "room_types": _room_types(knowledge, booking),
        "check_in": check_in,
        "check_out": check_out,
        "nights": _length(check_in, check_out) if check_in and check_out else None,
        "total": booking.get("total"),
        "status": booking.get("status"),
        "channel": booking.get("agent")
        or {"default": "front desk"}.get(booking.get("type", ""), booking.get("type")),
        "delay": round(delay, 1),
    }


def _length(check_in: str, check_out: str) -> int:
    return (date.fromisoformat(check_out) - date.fromisoformat(check_in)).days


def _room_types(knowledge: Knowledge, booking: Document) -> list[dict[str, Any]]:
    """The room types of a booking, with the most rooms it has of each on one night."""
    rooms: dict[int | None, Counter[str]] = {}
    for night in booking.get("nights", ()):
        rooms.setdefault(night["room_type_id"], Counter())[night["date"]] += 1
    named = []
    for room_type, nights in rooms.items():
        known = knowledge.find("room_type", booking["hotel_id"], room_type or 0) or {}
        named.append({"name": known.get("name"), "rooms": max(nights.values())})
    return named


def _changed(before: Document, after: Document) -> list[str]:
    """What differs, in people's words."""
    fields = [name for name in after if name not in _UNTOLD and after[name] != before.get(name)]
    return list(dict.fromkeys(_WORDS.get(name, name) for name in fields))
