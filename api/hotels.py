"""Which hotels there are, kept for a few seconds so that a request costs no query to know."""

import time

from api.lookup import AwayError, Lookup
from sql import content

_KEEP = 5.0
_NOT_AGAIN_WITHIN = 0.5


class Hotels:
    """The hotels that have a document."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._ids: frozenset[int] = frozenset()
        self._looked_at = float("-inf")

    async def has(self, hotel_id: int) -> bool:
        """Whether there is such a hotel; one that is new is known at once.

        Raises:
            AwayError: the database cannot be asked, and the hotel was not there before.
        """
        age = time.monotonic() - self._looked_at
        if age > _KEEP or (hotel_id not in self._ids and age > _NOT_AGAIN_WITHIN):
            try:
                self._ids = await self._lookup.ask(content.hotel_ids)
                self._looked_at = time.monotonic()
            except AwayError:
                if hotel_id not in self._ids:
                    raise
        return hotel_id in self._ids
