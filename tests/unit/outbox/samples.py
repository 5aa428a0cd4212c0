"""Claims and JSON for unit tests."""

from datetime import UTC, date, datetime
from typing import Any

import orjson

from sql.delivery import Claim

COMMITTED = datetime(2026, 11, 23, 5, 14, 56, 118_204, UTC)


def as_json(value: Any) -> bytes:
    """The bytes of a message."""
    return orjson.dumps(value)


def claim(kind: str, hotel_id: int = 7, number: str = "", body: Any = None, **fields: Any) -> Claim:
    """A claim of a live document in its second version, that the endpoint knows the first of."""
    found = {
        "marked": 20,
        "acked": 10,
        "place": 1,
        "sent": False,
        "tries": 0,
        "version": 20,
        "born": 10,
        "body": None if body is None else as_json(body).decode(),
        "committed_at": COMMITTED,
        "days": None,
        "sellable": None,
        "occupied": None,
    }
    return Claim(kind, hotel_id, number, **(found | fields))


def night_claim(
    room_type: int, days: list[int], sellable: list[int], occupied: list[int], hotel_id: int = 7, **fields: Any
) -> Claim:
    """A claim of nights."""
    nights = {"days": days, "sellable": sellable, "occupied": occupied}
    return claim("availability", hotel_id, str(room_type), {}, **nights, **fields)


DAY = date(2026, 12, 28)
