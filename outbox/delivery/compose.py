"""From claimed keys to messages: pure, and the same for the same documents whoever composes.

The type of a message follows from the document alone. Availability becomes ranges of nights that are alike, several
room types of a hotel to a message; everything else is one message per key.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from sql.delivery import Claim, Live

_DELETED = {
    "hotel": (),
    "room_type": ("room_type_id",),
    "plan": ("plan_key",),
    "rates": ("plan_key",),
    "booking": ("booking_id",),
}


@dataclass(frozen=True, slots=True)
class Part:
    """What a message says of one key, as JSON; `version` is what its acknowledgement acknowledges."""

    claim: Claim
    version: int
    said: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook's content. data: the JSON of its data object."""

    type: str
    hotel_id: int | None
    parts: tuple[Part, ...]
    data: bytes
    timestamp: datetime

    def body(self) -> bytes:
        """The bytes to sign and send."""
        envelope = {"type": self.type, "timestamp": rfc3339(self.timestamp), "data": orjson.Fragment(self.data)}
        return orjson.dumps(envelope)

    @property
    def divisible(self) -> bool:
        """Whether it has halves."""
        return len(self.parts) > 1

    def halves(self) -> tuple["Message", "Message"]:
        """The same in two messages."""
        middle = len(self.parts) // 2
        return _availability(self.parts[:middle]), _availability(self.parts[middle:])


@dataclass(frozen=True, slots=True)
class Composed:
    """What claimed keys come to. silent: those that there is nothing to say of, with the version to acknowledge."""

    messages: list[Message]
    silent: list[tuple[Claim, int]]


def compose(claims: Iterable[Claim], *, guest_data: bool, max_bytes: int) -> Composed:
    """Turn claimed documents into messages, in their order; snapshots are composed by `snapshot`.

    What is said of a hotel's nights comes where the first of its room types stands.
    """
    ordered: list[Message | list[Part]] = []
    silent: list[tuple[Claim, int]] = []
    nights: dict[int, list[Part]] = {}
    for claim in claims:
        if _nothing_to_say(claim):
            silent.append((claim, claim.marked if claim.version is None else claim.version))
        elif claim.kind == "availability":
            if claim.hotel_id not in nights:
                ordered.append(nights.setdefault(claim.hotel_id, []))
            nights[claim.hotel_id].append(_nights(claim))
        else:
            ordered.append(_single(claim, guest_data))
    messages: list[Message] = []
    for one in ordered:
        messages += [one] if isinstance(one, Message) else [_availability(pack) for pack in packed(one, max_bytes)]
    return Composed(messages, silent)


def snapshot(claim: Claim, live: Live) -> Message:
    """The message that ends a first sync, or the share of it that the key's digits name."""
    first, last = digits(claim)
    listed = first == "0"
    bookings = None
    if live.bookings is not None:
        bookings = {"first": first, "last": last, "check_out_from": live.start, "ids": live.bookings}
    data = {
        "hotel_id": claim.hotel_id,
        "version": claim.marked,
        "room_type_ids": live.room_types if listed else None,
        "plan_keys": live.plans if listed else None,
        "bookings": bookings,
    }
    return _message("hotel.snapshot", claim, claim.marked, data)


def digits(claim: Claim) -> tuple[str, str]:
    """First and last hex digit of the bookings that a snapshot lists."""
    first, last = claim.id.split("-")
    return first, last


def heartbeat(as_of: datetime | None, behind: int) -> Message:
    """The message that is sent when nothing else need be."""
    data = {"as_of": as_of and rfc3339(as_of), "hotel_id": None, "behind": behind}
    return Message("heartbeat", None, (), orjson.dumps(data), datetime.now(UTC))


def rfc3339(at: datetime) -> str:
    """An instant in UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def packed(parts: Sequence[Part], max_bytes: int) -> Iterator[tuple[Part, ...]]:
    """Fill messages with parts in their order, up to `max_bytes` each; a part that is larger goes alone."""
    pack: list[Part] = []
    size = 0
    for part in parts:
        if pack and size + len(part.said) > max_bytes - _ENVELOPE:
            yield tuple(pack)
            pack, size = [], 0
        pack.append(part)
        size += len(part.said) + 1
    if pack:
        yield tuple(pack)


_ENVELOPE = 160
"""Bytes around the room types of an availability message, rounded up."""


def ranges(days: Sequence[int], sellable: Sequence[int], occupied: Sequence[int]) -> list[dict[str, Any]]:
    """Consecutive nights with equal numbers as ranges; `days` are ordinals, ascending."""
    found: list[tuple[int, int, int, int]] = []
    start = end = rooms = taken = -1
    for day, now_rooms, now_taken in zip(days, sellable, occupied, strict=True):
        if day != end or now_taken != taken or now_rooms != rooms:
            if start > 0:
                found.append((start, end, rooms, taken))
            start, rooms, taken = day, now_rooms, now_taken
        end = day + 1
    if start > 0:
        found.append((start, end, rooms, taken))
    return [
        {
            "from": date.fromordinal(start),
            "until": date.fromordinal(end),
            "sellable": rooms,
            "occupied": taken,
            "available": max(0, rooms - taken),
        }
        for start, end, rooms, taken in found
    ]


def _nothing_to_say(claim: Claim) -> bool:
    """Whether the endpoint knows already, or need never know.

    A document older than what was acknowledged is a claim's snapshot that predates an acknowledgement: the row's
    own, newer version stays in the queue.
    """
    if claim.version is None or claim.version <= claim.acked:
        return True
    if claim.kind == "availability":
        return not claim.days
    return claim.body is None and claim.acked == 0 and not claim.sent


def _nights(claim: Claim) -> Part:
    said = {
        "room_type_id": int(claim.id),
        "version": claim.version,
        "ranges": ranges(claim.days or (), claim.sellable or (), claim.occupied or ()),
    }
    return Part(claim, claim.version or 0, orjson.dumps(said))


def _availability(parts: Sequence[Part]) -> Message:
    hotel_id = parts[0].claim.hotel_id
    data = b'{"hotel_id":%d,"room_types":[%s]}' % (hotel_id, b",".join(part.said for part in parts))
    times = [part.claim.committed_at for part in parts if part.claim.committed_at]
    return Message(
        "availability.updated", hotel_id, tuple(parts), data, max(times, default=None) or datetime.now(UTC)
    )


def _single(claim: Claim, guest_data: bool) -> Message:
    version = claim.version or 0
    if claim.body is None:
        names = _DELETED[claim.kind]
        key = int(claim.id) if claim.kind == "room_type" else claim.id
        data = {"hotel_id": claim.hotel_id, **dict.fromkeys(names, key), "version": version}
        return _message(f"{claim.kind}.deleted", claim, version, data)
    data = orjson.loads(claim.body)
    if claim.kind == "booking" and not guest_data:
        without_guests(data)
    data["version"] = version
    return _message(f"{claim.kind}.{_happened(claim, data)}", claim, version, data)


def _happened(claim: Claim, data: dict[str, Any]) -> str:
    if claim.kind != "booking":
        return "updated"
    if data["status"] == "cancelled":
        return "cancelled"
    return "created" if claim.version == claim.born else "updated"


def without_guests(booking: dict[str, Any]) -> None:
    """Take out everything that tells of people."""
    booking["guest"] = booking["comment"] = None
    for night in booking["nights"]:
        night["guests"] = []


def _message(kind: str, claim: Claim, version: int, data: dict[str, Any]) -> Message:
    said = orjson.dumps(data)
    timestamp = claim.committed_at or datetime.now(UTC)
    return Message(kind, claim.hotel_id, (Part(claim, version, said),), said, timestamp)
