"""The format `cache-refresh`: what an engine's own cache interface is asked to fetch anew, instead of being told.

The engine keeps hotels, room types and availability, and has one call for each of these:

    POST <url>/update-hotels            {}
    POST <url>/update-room-types        {}
    POST <url>/refresh-availability     {"hotel_id", "room_type_id", "start_date", "end_date"}
    GET  <url>/status

Pure, as `compose` is. The first two speak of everything, so all that has changed becomes one call of each. Nights
become one call per room type, from the first that has changed to the last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import orjson

from outbox.delivery.compose import Composed, Message, Part
from sql.delivery import Claim

_LONGEST = 366
"""Nights that one call asks for: the engine answers it by reading as many from the API, which gives 400 at most."""
_WHOLE = {"hotel": "update-hotels", "room_type": "update-room-types"}


@dataclass(frozen=True, slots=True)
class Call(Message):
    """A call of the interface, named by its `type`, for each of its `bodies` one after the other.

    Without a body it is a GET. It says nothing of a single key, so it is taken or rejected for all of them.
    """

    bodies: tuple[bytes, ...] = ()

    @property
    def divisible(self) -> bool:
        """Whether halves of it can be sent."""
        return False


def compose(claims: Iterable[Claim]) -> Composed:
    """Turn claimed documents into calls, content first; what the engine does not keep is acknowledged unsaid."""
    changed: dict[str, list[Claim]] = {kind: [] for kind in _WHOLE}
    nights: list[Message] = []
    silent: list[tuple[Claim, int]] = []
    for claim in claims:
        if (
            claim.version is None
            or claim.version <= claim.acked
            or (claim.kind == "availability" and not claim.days)
        ):
            silent.append((claim, claim.marked if claim.version is None else claim.version))
        elif claim.kind in changed:
            changed[claim.kind].append(claim)
        elif claim.kind == "availability":
            nights.append(_refresh(claim))
        else:
            silent.append((claim, claim.version))
    whole = [_call(_WHOLE[kind], found, [{}]) for kind, found in changed.items() if found]
    return Composed([*whole, *nights], silent)


def status() -> Call:
    """What is asked when nothing else need be, to see whether the engine answers."""
    return Call("status", None, (), b"", datetime.now(UTC))


def _refresh(claim: Claim) -> Call:
    assert claim.days is not None
    asked = [
        {
            "hotel_id": claim.hotel_id,
            "room_type_id": int(claim.id),
            "start_date": date.fromordinal(first),
            "end_date": date.fromordinal(until),
        }
        for first, until in _spans(claim.days)
    ]
    return _call("refresh-availability", [claim], asked)


def _spans(days: Sequence[int]) -> list[tuple[int, int]]:
    """First night and the day after the last one, of as few spans as cover all days.

    An engine that reads the end as the last night fetches one more than it need: that does no harm, one less would.
    """
    first, until = days[0], days[-1] + 1
    return [(start, min(start + _LONGEST, until)) for start in range(first, until, _LONGEST)]


def _call(name: str, claims: Sequence[Claim], asked: Sequence[object]) -> Call:
    bodies = tuple(orjson.dumps(one) for one in asked)
    parts = tuple(Part(claim, claim.version or 0, b"") for claim in claims)
    times = [claim.committed_at for claim in claims if claim.committed_at]
    hotels = {claim.hotel_id for claim in claims}
    hotel = hotels.pop() if len(hotels) == 1 else None
    return Call(name, hotel, parts, b",".join(bodies), max(times, default=datetime.now(UTC)), bodies)
