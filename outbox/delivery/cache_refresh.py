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
STATUS = "status"
_WHOLE = {"hotel": "update-hotels", "room_type": "update-room-types"}


@dataclass(frozen=True, slots=True)
class Call(Message):
    """A call of the interface, named by its `type`. It is taken or rejected for all of its keys.

    first, until: of nights, the first one and the day after the last, as ordinals; 0 where it is not about nights.
    """

    first: int = 0
    until: int = 0

    @property
    def divisible(self) -> bool:
        """Whether halves of it can be sent."""
        return False

    def bodies(self, today: date) -> list[bytes]:
        """What to post one after the other; nothing where nothing is left to ask for.

        Nights that are over are left out: the API does not tell of them, so the engine could not fetch them. An
        engine that takes the end for the last night fetches one more than it need, which does no harm.
        """
        if not self.until:
            return [b"{}"]
        first = max(self.first, today.toordinal())
        starts = range(first, self.until, _LONGEST)
        return [self._asking(start, min(start + _LONGEST, self.until)) for start in starts]

    def _asking(self, first: int, until: int) -> bytes:
        (part,) = self.parts
        asked = {
            "hotel_id": part.claim.hotel_id,
            "room_type_id": int(part.claim.id),
            "start_date": date.fromordinal(first),
            "end_date": date.fromordinal(until),
        }
        return orjson.dumps(asked)


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
            nights.append(_call("refresh-availability", [claim], claim.days or ()))
        else:
            silent.append((claim, claim.version))
    whole = [_call(_WHOLE[kind], found) for kind, found in changed.items() if found]
    return Composed([*whole, *nights], silent)


def status() -> Call:
    """What is asked, by GET, when nothing else need be: whether the engine answers."""
    return Call(STATUS, None, (), b"", datetime.now(UTC))


def _call(name: str, claims: Sequence[Claim], days: Sequence[int] = ()) -> Call:
    parts = tuple(Part(claim, claim.version or 0, b"") for claim in claims)
    times = [claim.committed_at for claim in claims if claim.committed_at]
    hotels = {claim.hotel_id for claim in claims}
    first, until = (days[0], days[-1] + 1) if days else (0, 0)
    said = orjson.dumps([[*claim[:3], claim.version] for claim in claims])
    hotel = hotels.pop() if len(hotels) == 1 else None
    return Call(name, hotel, parts, said, max(times, default=datetime.now(UTC)), first, until)
