"""Where a mirror differs from the truth, in lines that people can read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Any

import orjson

from tests.support.mirror.rates import by_night
from tests.support.mirror.state import Mirror
from tests.support.truth import BOOKINGS_KEPT, HORIZON_NIGHTS, Document, Key, Truth

MISSING = object()


def differences(
    mirror: Mirror, truth: Truth, *, guests: bool = True, hotels: Collection[int] | None = None
) -> list[str]:
    """List all differences, one line each; an empty list is equality.

    Args:
        mirror: What the messages said.
        truth: What the PMS says.
        guests: Whether this receiver may have guests' data; if not, having some is a difference.
        hotels: The hotels that it may know of; None is all.
    """

    def wanted(hotel: int) -> bool:
        return hotels is None or hotel in hotels

    expected = {
        key: body if guests else _anonymous(key, body) for key, body in truth.documents.items() if wanted(key[1])
    }
    found = {
        key: by_night(body, expected[key]["nights"]) if key[0] == "rates" and key in expected else body
        for key, body in mirror.documents.items()
        if not _has_left_the_window(key, body, expected, truth.today)
    }
    lines = list(_document_lines(found, expected))
    first, last = truth.today - timedelta(days=1), truth.today + timedelta(days=HORIZON_NIGHTS)
    nights = {night: value for night, value in truth.nights.items() if wanted(night[0])}
    known = {
        night: value for night, value in mirror.nights.items() if first.isoformat() <= night[2] <= last.isoformat()
    }
    lines += [
        f"availability {night[0]}/{night[1]} {night[2]} (sellable, occupied): "
        f"mirror {known.get(night, 'nothing')}, PMS {nights.get(night, 'nothing')}"
        for night in sorted({night for night, _ in nights.items() ^ known.items()})
    ]
    return lines


def _has_left_the_window(key: Key, body: Document, expected: dict[Key, Document], today: date) -> bool:
    """Tell whether a booking is kept only because nothing is said when one grows too old."""
    return (
        key[0] == "booking"
        and key not in expected
        and date.fromisoformat(body["check_out"]) < today - BOOKINGS_KEPT
    )


def _anonymous(key: Key, body: Document) -> Document:
    if key[0] != "booking":
        return body
    nights = [night | {"guests": []} for night in body["nights"]]
    return body | {"guest": None, "comment": None, "nights": nights}


def _document_lines(found: dict[Key, Document], expected: dict[Key, Document]) -> Iterator[str]:
    for key in sorted(found.keys() | expected.keys()):
        name = f"{key[0]} {key[1]}/{key[2]}".rstrip("/")
        if key not in found:
            yield f"{name}: missing in the mirror"
        elif key not in expected:
            yield f"{name}: in the mirror, not in the PMS"
        elif _text(found[key]) != _text(expected[key]):
            for path, left, right in _unequal(found[key], expected[key], ""):
                yield f"{name}: {path} is {_shown(left)} in the mirror, {_shown(right)} in the PMS"


def _text(body: Document) -> bytes:
    """A document as JSON, whose texts are compared in a fraction of the time that walking through two takes."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _unequal(left: Any, right: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Find the innermost places where two JSON values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _unequal(left.get(name, MISSING), right.get(name, MISSING), inner)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _unequal(one, other, f"{path}[{number}]")
    elif left != right or isinstance(left, bool) != isinstance(right, bool):
        yield path, left, right


def _shown(value: Any) -> str:
    if value is MISSING:
        return "absent"
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"
