"""How fresh the documents are: every answer about availability or price says so."""

import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from api.line import AwayError, Line
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


class Freshness:
    """Looks at the checkpoint, at most once a second: what is a second old is a lower bound still."""

    def __init__(self, line: Line, slot: str) -> None:
        self._line = line
        self._slot = slot
        self._standing: Standing | None = None
        self._looked = 0.0

    async def now(self, hotel_id: int | None = None) -> Fresh:
        """How fresh the documents of a hotel are, or of all hotels.

        Raises:
            AwayError: the database cannot be asked, and never was.
        """
        if self._standing is None or time.monotonic() > self._looked + _KEEP:
            looked = time.monotonic()
            try:
                self._standing = await self._line.ask(lambda conn: calendar.standing(conn, self._slot))
                self._looked = looked
            except AwayError:
                if self._standing is None:
                    raise
        return fresh(self._standing, hotel_id, time.monotonic() - self._looked)


def fresh(standing: Standing, hotel_id: int | None, elapsed: float) -> Fresh:
    """How fresh documents are so many seconds after a look; hotel_id None: those of every hotel.

    Durable work on a hotel leaves its documents behind the checkpoint, so that nobody knows as of when they are.
    """
    committed_at, pending = standing.committed_at, standing.pending
    if committed_at is None or (pending if hotel_id is None else pending & {None, hotel_id}):
        return Fresh(None, True)
    age = (standing.now - committed_at).total_seconds() + elapsed
    return Fresh(committed_at, age > STALE_SECONDS)


def stamped(now: Fresh, body: bytes) -> bytes:
    """A JSON object with `as_of` and `stale` put before its other members."""
    return _opening(now) + body[1:]


@lru_cache(maxsize=64)
def _opening(now: Fresh) -> bytes:
    as_of = f'"{rfc3339(now.as_of)}"' if now.as_of else "null"
    return f'{{"as_of":{as_of},"stale":{"true" if now.stale else "false"},'.encode()
