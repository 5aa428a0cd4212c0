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
CALLS = {"hotel": "update-hotels", "room_type": "update-room-types", "availability": "refresh-availability"}
"""By kind of key."""
WHOLE = ("update-hotels", "update-room-types")
"""Calls that fetch all there is of a kind."""


@dataclass(frozen=True, slots=True)
class Call(Message):
    """A call of the interface, named by its `type`. It is taken or rejected for all of its keys.

    bodies: posted one after the other; a call without any is a GET; not_before: from then on, in seconds of the
    monotonic clock, the API tells what has changed.
    """

    bodies: tuple[bytes, ...] = ()
    not_before: float = 0.0

    @property
    def divisible(self) -> bool:
        """Whether halves of it can be sent."""
        return False


def compose(claims: Iterable[Claim], today: date, *, not_before: float = 0.0) -> Composed:
    """Turn claimed documents into calls, content first; what the engine does not keep is acknowledged unsaid.

    Nights before `today` are not asked for: the API does not tell of them, so the engine could not fetch them.
    `not_before` is when the calls may be made at the earliest, in seconds of the monotonic clock.
    """
    changed: dict[str, list[Claim]] = {kind: [] for kind, name in CALLS.items() if name in WHOLE}
    nights: list[Message] = []
    silent: list[tuple[Claim, int]] = []
    for claim in claims:
        if claim.version is None or claim.version <= claim.acked:
            silent.append((claim, claim.marked if claim.version is None else claim.version))
        elif claim.kind in changed:
            changed[claim.kind].append(claim)
        elif bodies := _refreshes(claim, today):
            nights.append(_call(CALLS[claim.kind], [claim], bodies, not_before))
        else:
            silent.append((claim, claim.version))
    whole = [_call(CALLS[kind], found, [b"{}"], not_before) for kind, found in changed.items() if found]
    return Composed([*whole, *nights], silent)


def status() -> Call:
    """What is asked when nothing else need be: whether the engine answers."""
    return Call("status", None, (), b"", datetime.now(UTC))


def _refreshes(claim: Claim, today: date) -> list[bytes]:
    """As few spans of nights as cover those that have changed.

    An engine that takes the end for the last night fetches one more than it need, which does no harm.
    """
    if not claim.days:
        return []
    first, until = max(claim.days[0], today.toordinal()), claim.days[-1] + 1
    starts = range(first, until, _LONGEST)
    return [_refresh(claim, start, min(start + _LONGEST, until)) for start in starts]


def _refresh(claim: Claim, first: int, until: int) -> bytes:
    asked = {
        "hotel_id": claim.hotel_id,
        "room_type_id": int(claim.id),
        "start_date": date.fromordinal(first),
        "end_date": date.fromordinal(until),
    }
    return orjson.dumps(asked)


def _call(name: str, claims: Sequence[Claim], bodies: Sequence[bytes], not_before: float) -> Call:
    parts = tuple(Part(claim, claim.version or 0, b"") for claim in claims)
    times = [claim.committed_at for claim in claims if claim.committed_at]
    hotels = {claim.hotel_id for claim in claims}
    hotel = hotels.pop() if len(hotels) == 1 else None
    said = orjson.dumps([[*claim[:3], claim.version] for claim in claims])
    return Call(name, hotel, parts, said, max(times, default=datetime.now(UTC)), tuple(bodies), not_before)
