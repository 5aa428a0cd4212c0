"""How fresh the documents are: every answer about availability or price says so."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from api.lookup import AwayError, Lookup
from outbox.delivery.compose import rfc3339
from sql import calendar
from sql.calendar import Standing

STALE_SECONDS = 30
_KEEP = 1.0


@dataclass(frozen=True, slots=True)
class Fresh:
    """as_of: whatever the PMS had committed by then is in the documents; None while nobody knows."""

    as_of: datetime | None
    stale: bool


def now() -> Fresh:
    """How fresh is what will be read from the PMS itself."""
    return Fresh(datetime.now(UTC), False)


class Freshness:
    """Looks at the checkpoint, at most once a second: what is a second old is a lower bound still."""

    def __init__(self, lookup: Lookup, slot: str) -> None:
        self._lookup = lookup
        self._slot = slot
        self._standing: Standing | None = None
        self._looked = 0.0

    async def now(self, hotel_id: int | None = None) -> Fresh:
        """How fresh the documents of a hotel are, or of all hotels.

        Raises:
            AwayError: the database cannot be asked, and never was.
        """
        return (await self.look())(hotel_id)

    async def look(self) -> Callable[[int | None], Fresh]:
        """Look now; what is returned tells of any hotel how fresh its documents are that are read from here on.

        Raises:
            AwayError: as `now`.
        """
        if self._standing is None or time.monotonic() > self._looked + _KEEP:
            looked = time.monotonic()
            try:
                self._standing = await self._lookup.ask(lambda conn: calendar.standing(conn, self._slot))
                self._looked = looked
            except AwayError:
                if self._standing is None:
                    raise
        standing, looked = self._standing, self._looked
        return lambda hotel_id: fresh(standing, hotel_id, time.monotonic() - looked)


def fresh(standing: Standing, hotel_id: int | None, elapsed: float) -> Fresh:
    """How fresh documents are so many seconds after a look; hotel_id None: those of every hotel.

    Durable work on a hotel leaves its documents behind the checkpoint, so that nobody knows as of when they are.
    """
    committed_at, pending = standing.committed_at, standing.pending
    if committed_at is None or (pending if hotel_id is None else pending & {None, hotel_id}):
        return Fresh(None, True)
    age = (standing.now - committed_at).total_seconds() + elapsed
    return Fresh(committed_at, age > STALE_SECONDS)


def stamp(fresh: Fresh) -> dict[str, Any]:
    """`as_of` and `stale` as answers say them."""
    return {"as_of": rfc3339(fresh.as_of) if fresh.as_of else None, "stale": fresh.stale}


def stamped(fresh: Fresh, body: bytes) -> bytes:
    """A JSON object with `as_of` and `stale` put before its other members."""
    return _opening(fresh) + body[1:]


@lru_cache(maxsize=64)
def _opening(fresh: Fresh) -> bytes:
    return orjson.dumps(stamp(fresh))[:-1] + b","
