"""What a booking engine knows from messages alone, and the rules that messages have to keep."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.truth import Document, Key, Night

ID_FIELDS = {
    "hotel": None,
    "room_type": "room_type_id",
    "plan": "plan_key",
    "rates": "plan_key",
    "booking": "booking_id",
}
"""Of each kind of document, the field that names it within its hotel."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the message contract that was broken.

    Attributes:
        rule: signature, webhook-id, version, content, form, concurrent, or redirect.
        what: The key and what was wrong, for people.
    """

    rule: str
    what: str


@dataclass(frozen=True, slots=True)
class Held:
    """The newest word on a key; body None is a tombstone."""

    version: int
    body: Document | None


@dataclass(frozen=True, slots=True)
class HeldNight:
    """The newest word on a night."""

    version: int
    sellable: int
    occupied: int
    available: int


@dataclass(slots=True)
class Mirror:
    """The state of a receiver.

    Attributes:
        held: The newest word on each document, tombstones included.
        held_nights: The newest word on each night.
        counts: Messages by type, as received; repeated ones too.
        stale: How many words were older than what was held, and so not applied.
        violations: What should never have come.
        delays: Seconds from the commit in the PMS to the arrival, of each document or availability message.
        heartbeat: The last heartbeat's data.
    """

    held: dict[Key, Held] = field(default_factory=dict)
    held_nights: dict[Night, HeldNight] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    stale: int = 0
    violations: list[Violation] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    heartbeat: Document | None = None
    bodies: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def documents(self) -> dict[Key, Document]:
        """What is known and not deleted."""
        return {key: held.body for key, held in self.held.items() if held.body is not None}

    @property
    def nights(self) -> dict[Night, tuple[int, int]]:
        """(sellable, occupied) of each night of the room types that are known and not deleted."""
        known = {(hotel, number) for kind, hotel, number in self.documents if kind == "room_type"}
        return {
            night: (held.sellable, held.occupied)
            for night, held in self.held_nights.items()
            if (night[0], str(night[1])) in known
        }

    def receive(self, webhook_id: str, message: dict[str, Any], now: datetime | None = None) -> None:
        """Take in one message whose signature was right."""
        kind, event = str(message["type"]).rsplit(".", 1) if "." in message["type"] else (message["type"], "")
        self.counts[message["type"]] += 1
        self._check_id(webhook_id, message)
        data = message["data"]
        if kind not in {"heartbeat", "endpoint"} and event != "snapshot":
            sent = datetime.fromisoformat(message["timestamp"])
            self.delays.append(((now or datetime.now(UTC)) - sent).total_seconds())
        if kind == "heartbeat":
            self.heartbeat = data
        elif event == "snapshot":
            self._close(data)
        elif kind == "availability":
            self._apply_nights(data)
        elif message["type"] == "endpoint.test":
            return
        elif kind in ID_FIELDS:
            self._apply_document(kind, event, data)
        else:
            self.violate("form", f"unknown type {message['type']}")

    def violate(self, rule: str, what: str) -> None:
        """Note that a rule was broken."""
        self.violations.append(Violation(rule, what))

    def _check_id(self, webhook_id: str, message: dict[str, Any]) -> None:
        """The same content keeps its id over retries, and an id its content.

        The time is no content, but of a heartbeat, which says nothing else.
        """
        timed = message["type"] in {"heartbeat", "endpoint.test"}
        content = _digest({key: value for key, value in message.items() if timed or key != "timestamp"})
        if self.bodies.setdefault(webhook_id, content) != content:
            self.violate("webhook-id", f"{webhook_id} came with different bodies, of type {message['type']}")
        if self.ids.setdefault(content, webhook_id) != webhook_id:
            self.violate("webhook-id", f"the same {message['type']} came with two ids, the second {webhook_id}")

    def _apply_document(self, kind: str, event: str, data: dict[str, Any]) -> None:
        body = {name: value for name, value in data.items() if name != "version"}
        version, key = data["version"], key_of(kind, data)
        if kind == "booking" and event != "deleted" and (event == "cancelled") != (body["status"] == "cancelled"):
            self.violate("form", f"{_name(key)} is {body['status']} in a message booking.{event}")
        if event not in {"created", "updated", "cancelled", "deleted"}:
            self.violate("form", f"unknown event {kind}.{event}")
        new, old = Held(version, None if event == "deleted" else body), self.held.get(key)
        if old is None or version > old.version:
            self.held[key] = new
            return
        self.stale += version < old.version
        if new.body != old.body:
            self._contradiction(_name(key), version, old.version)

    def _apply_nights(self, data: dict[str, Any]) -> None:
        for room_type in data["room_types"]:
            for span in room_type["ranges"]:
                new = HeldNight(room_type["version"], span["sellable"], span["occupied"], span["available"])
                if new.available != max(0, new.sellable - new.occupied) or span["from"] >= span["until"]:
                    self.violate("form", f"impossible range {span}")
                for day in _days(span["from"], span["until"]):
                    self._apply_night((data["hotel_id"], room_type["room_type_id"], day), new)

    def _apply_night(self, night: Night, new: HeldNight) -> None:
        old = self.held_nights.get(night)
        if old is None or new.version > old.version:
            self.held_nights[night] = new
            return
        self.stale += new.version < old.version
        if (new.sellable, new.occupied) != (old.sellable, old.occupied):
            self._contradiction(f"availability {night[0]}/{night[1]} {night[2]}", new.version, old.version)

    def _contradiction(self, name: str, version: int, held: int) -> None:
        if version == held:
            self.violate("content", f"{name}: two contents of version {version}")
        else:
            self.violate("version", f"{name}: other content with version {version} after {held}")

    def _close(self, data: dict[str, Any]) -> None:
        """End a first sync: what is not newer than the snapshot, and not listed, is gone."""
        for key, held in list(self.held.items()):
            if key[1] == data["hotel_id"] and held.version <= data["version"] and _is_gone(key, held, data):
                self.held[key] = Held(data["version"], None)


def _is_gone(key: Key, held: Held, snapshot: dict[str, Any]) -> bool:
    """Tell whether a snapshot of this key's hotel speaks of the key by leaving it out."""
    kind, _, number = key
    if held.body is None:
        return False
    if kind == "room_type":
        return snapshot["room_type_ids"] is not None and int(number) not in snapshot["room_type_ids"]
    if kind in {"plan", "rates"}:
        return snapshot["plan_keys"] is not None and number not in snapshot["plan_keys"]
    bookings = snapshot["bookings"]
    return (
        kind == "booking"
        and bookings is not None
        and bookings["first"] <= number[0] <= bookings["last"]
        and held.body["check_out"] >= bookings["check_out_from"]
        and number not in bookings["ids"]
    )


def keys_in(message: dict[str, Any]) -> list[Key]:
    """The keys that a message speaks of; availability's are ("availability", hotel, room type)."""
    kind, data = str(message["type"]).split(".")[0], message["data"]
    if kind == "availability":
        return [("availability", data["hotel_id"], str(one["room_type_id"])) for one in data["room_types"]]
    if message["type"] == "hotel.snapshot":
        return [("snapshot", data["hotel_id"], "")]
    return [key_of(kind, data)] if kind in ID_FIELDS else []


def key_of(kind: str, data: dict[str, Any]) -> Key:
    """The key of a document message's data."""
    id_field = ID_FIELDS[kind]
    return kind, data["hotel_id"], "" if id_field is None else str(data[id_field])


def _name(key: Key) -> str:
    kind, hotel, number = key
    return f"{kind} {hotel}/{number}" if number else f"{kind} {hotel}"


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _days(first: str, until: str) -> Iterator[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(until)
    while day < end:
        yield day.isoformat()
        day += timedelta(days=1)
