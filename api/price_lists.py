"""Prices as they are in the PMS now, without computing them for every request.

Each request reads which rows the prices of its hotel come from, which is cheap; they are computed again when those
are others than before.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import AsyncConnection

from sql.pms.prices import Night, PriceList, fingerprint, price_list


@dataclass(frozen=True, slots=True)
class _Kept:
    """A hotel's prices from a day on, and of which rows they were made."""

    fingerprint: tuple[int, int]
    first: date
    prices: PriceList


class PriceLists:
    """The newest price list of each hotel."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}
        self._making: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def nightly(
        self, conn: AsyncConnection, hotel_id: int, plan_keys: Collection[str] | None, first: date, until: date
    ) -> list[Night]:
        """The prices for the nights in [first, until); the same as `sql.pms.prices.nightly`."""
        seen = await fingerprint(conn, hotel_id)
        kept = self._valid(hotel_id, seen, first)
        if kept is None:
            async with self._making[hotel_id]:
                kept = self._valid(hotel_id, seen, first) or await self._make(conn, hotel_id, seen, first)
        return kept.prices.nights(plan_keys, first, until)

    def _valid(self, hotel_id: int, seen: tuple[int, int], first: date) -> _Kept | None:
        kept = self._kept.get(hotel_id)
        return kept if kept is not None and kept.fingerprint == seen and kept.first <= first else None

    async def _make(self, conn: AsyncConnection, hotel_id: int, seen: tuple[int, int], first: date) -> _Kept:
        first = min(first, datetime.now(UTC).date() - timedelta(days=1))
        kept = _Kept(seen, first, await price_list(conn, hotel_id, None, first, date.max))
        self._kept[hotel_id] = kept
        return kept
