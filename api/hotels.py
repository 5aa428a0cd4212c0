"""Which hotels there are, kept for a few seconds so that a request costs no query to know."""

import time

from sql import content
from sql.pool import Pool

_KEEP = 5.0
_NOT_AGAIN_WITHIN = 0.5


class Hotels:
    """The hotels that have a document."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ids: frozenset[int] = frozenset()
        self._looked_at = float("-inf")

    async def has(self, hotel_id: int) -> bool:
        """Whether there is such a hotel; one that is new is known at once.

        Raises:
            psycopg.Error: the database cannot be asked.
        """
        age = time.monotonic() - self._looked_at
        if age > _KEEP or (hotel_id not in self._ids and age > _NOT_AGAIN_WITHIN):
            async with self._pool.connection() as conn:
                self._ids = await content.hotel_ids(conn)
            self._looked_at = time.monotonic()
        return hotel_id in self._ids
