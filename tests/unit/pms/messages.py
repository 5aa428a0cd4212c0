"""Messages as Roomwire would send them, in the smallest form that the mirror understands."""

from __future__ import annotations

from typing import Any

SENT = "2026-11-23T00:00:00Z"


def message(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": SENT, "data": {"hotel_id": 1, **data}}


def booking(
    event: str, version: int, *, number: str = "a1", status: str = "confirmed", **rest: Any
) -> dict[str, Any]:
    body = {"status": status, "check_out": "2026-12-01", "comment": None, "nights": [], **rest}
    return message(f"booking.{event}", booking_id=number, version=version, **({} if event == "deleted" else body))


def room_type(version: int, *, number: int = 7, name: str = "和室", event: str = "updated") -> dict[str, Any]:
    body = {} if event == "deleted" else {"name": name}
    return message(f"room_type.{event}", room_type_id=number, version=version, **body)


def nights(version: int, *ranges: tuple[str, str, int, int], number: int = 7) -> dict[str, Any]:
    spans = [
        {
            "from": first,
            "until": until,
            "sellable": sellable,
            "occupied": occupied,
            "available": max(0, sellable - occupied),
        }
        for first, until, sellable, occupied in ranges
    ]
    return message(
        "availability.updated", room_types=[{"room_type_id": number, "version": version, "ranges": spans}]
    )


def snapshot(version: int, **lists: Any) -> dict[str, Any]:
    bookings = {"first": "0", "last": "f", "check_out_from": "2026-10-24", "ids": []}
    return message(
        "hotel.snapshot",
        **{"version": version, "room_type_ids": [], "plan_keys": [], "bookings": bookings, **lists},
    )
