"""What a booking engine knows, from webhooks alone: every word with the version it came with.

Messages may be repeated and may overtake each other. What is older than what is held is not applied; so their
order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

Document = dict[str, Any]
Key = tuple[str, int, str]
"""Kind, hotel, and id within the hotel."""

ID_FIELDS = {
    "hotel": "hotel_id",
    "room_type": "room_type_id",
    "plan": "plan_key",
    "rates": "plan_key",
    "booking": "booking_id",
}
"""Kinds of documents, with the field that tells one from another of its hotel."""


class Night(NamedTuple):
    """The newest word on one night of a room type: numbers of rooms."""

    version: int
    sellable: int
    available: int


class Held(NamedTuple):
    """The newest word on a document; body None says that it is gone."""

    version: int
    body: Document | None


@dataclass(slots=True)
class Knowledge:
    """Everything held.

    Attributes:
        documents: By key, those that are gone too: a late message must not bring them back.
        nights: By hotel and room type, then by date.
        closed: Of each hotel, the first hex digits of booking ids that a snapshot has closed.
    """

    documents: dict[Key, Held] = field(default_factory=dict)
    nights: dict[tuple[int, int], dict[str, Night]] = field(default_factory=dict)
    closed: dict[int, set[str]] = field(default_factory=dict)

    def apply_document(
        self, kind: str, data: Document, *, gone: bool
    ) -> tuple[Document | None, Document | None] | None:
        """Take in a document or its end; returns what was held before and what is now, None if it is old news."""
        key = (kind, int(data["hotel_id"]), str(data[ID_FIELDS[kind]]))
        held = self.documents.get(key, Held(0, None))
        if data["version"] <= held.version:
            return None
        new = Held(data["version"], None if gone else data)
        self.documents[key] = new
        return held.body, new.body

    def apply_nights(self, data: Document) -> dict[int, dict[str, Night]]:
        """Take in availability; returns the nights that differ now, by room type."""
        changed: dict[int, dict[str, Night]] = {}
        for told in data["room_types"]:
            nights = self.nights.setdefault((data["hotel_id"], told["room_type_id"]), {})
            for span in told["ranges"]:
                new = Night(told["version"], span["sellable"], span["available"])
                for day in days(span["from"], span["until"]):
                    old = nights.get(day)
                    if old is not None and old.version > new.version:
                        continue
                    nights[day] = new
                    if old is None or old[1:] != new[1:]:
                        changed.setdefault(told["room_type_id"], {})[day] = new
        return changed

    def apply_snapshot(self, data: Document) -> None:
        """Take in the end of a first sync: what it covers and does not list is gone."""
        hotel, version, bookings = data["hotel_id"], data["version"], data["bookings"]
        for key, held in list(self.documents.items()):
            if key[1] == hotel and held.body and held.version <= version and _left_out(key, held.body, data):
                self.documents[key] = Held(version, None)
        if bookings is not None:
            first, last = int(bookings["first"], 16), int(bookings["last"], 16)
            self.closed.setdefault(hotel, set()).update(f"{digit:x}" for digit in range(first, last + 1))

    def living(self, kind: str, hotel: int | None = None) -> Iterator[Document]:
        """The documents of a kind that are there, of one hotel or of all."""
        for (its_kind, its_hotel, _), held in self.documents.items():
            if its_kind == kind and hotel in {None, its_hotel} and held.body is not None:
                yield held.body

    def find(self, kind: str, hotel: int, number: int | str) -> Document | None:
        """One document, None if it is not there."""
        return self.documents.get((kind, hotel, str(number)), Held(0, None)).body

    @property
    def all_closed(self) -> bool:
        """Whether every hotel's first sync has been closed by its snapshots; false while no hotel is known."""
        hotels = {hotel["hotel_id"] for hotel in self.living("hotel")}
        return bool(hotels) and all(len(self.closed.get(hotel, ())) == 16 for hotel in hotels)


def days(first: str, until: str) -> Iterator[str]:
    """The dates from `first` to the day before `until`."""
    day, end = date.fromisoformat(first), date.fromisoformat(until)
    while day < end:
        yield day.isoformat()
        day += timedelta(days=1)


def _left_out(key: Key, body: Document, snapshot: Document) -> bool:
    """Whether a snapshot speaks of this key by not listing it."""
    kind, _, number = key
    if kind == "room_type":
        return snapshot["room_type_ids"] is not None and int(number) not in snapshot["room_type_ids"]
    if kind in {"plan", "rates"}:
        return snapshot["plan_keys"] is not None and number not in snapshot["plan_keys"]
    told = snapshot["bookings"]
    return (
        kind == "booking"
        and told is not None
        and told["first"] <= number[0] <= told["last"]
        and body["check_out"] >= told["check_out_from"]
        and number not in told["ids"]
    )
