"""Prices as they are in the PMS now, without computing them for every request.

Each request reads which rows the prices of its hotel come from, which is cheap; they are computed again when those
are others than before.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import AsyncConnection

from sql.pms.plans import Plan, plans
from sql.pms.prices import Night, PriceList, fingerprint, price_list


@dataclass(frozen=True, slots=True)
class Tariff:
    """A hotel's plans, by key, and its prices from a day on (first), and of which rows they were made."""

    fingerprint: tuple[int, int]
    first: date
    prices: PriceList
    plans: Mapping[str, Plan]


class PriceLists:
    """The newest tariff of each hotel."""

    def __init__(self) -> None:
        self._kept: dict[int, Tariff] = {}
        self._making: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def nightly(
        self, conn: AsyncConnection, hotel_id: int, plan_keys: Collection[str] | None, first: date, until: date
    ) -> list[Night]:
        """The prices for the nights in [first, until); the same as `sql.pms.prices.nightly`."""
        return (await self.tariff(conn, hotel_id, first)).prices.nights(plan_keys, first, until)

    async def tariff(self, conn: AsyncConnection, hotel_id: int, first: date) -> Tariff:
        """A hotel's plans and their prices from `first` on, as the PMS has them now."""
        seen = await fingerprint(conn, hotel_id)
        kept = self._valid(hotel_id, seen, first)
        if kept is None:
            async with self._making[hotel_id]:
                kept = self._valid(hotel_id, seen, first) or await self._make(conn, hotel_id, seen, first)
        return kept

    def _valid(self, hotel_id: int, seen: tuple[int, int], first: date) -> Tariff | None:
        kept = self._kept.get(hotel_id)
        return kept if kept is not None and kept.fingerprint == seen and kept.first <= first else None

    async def _make(self, conn: AsyncConnection, hotel_id: int, seen: tuple[int, int], first: date) -> Tariff:
        first = min(first, datetime.now(UTC).date() - timedelta(days=1))
        prices = await price_list(conn, hotel_id, None, first, date.max)
        kept = Tariff(seen, first, prices, await plans(conn, hotel_id, None))
        self._kept[hotel_id] = kept
        return kept
