"""Prices as they are in the PMS now, without computing them for every request.

Each request reads a fingerprint of the rows that its hotel's prices come from, which is cheap; the prices are
computed again when it has changed. That takes time where there are many rates, so a transaction that has to be
short has it done before it begins.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import AsyncConnection

from api.days import HORIZON
from sql.later import Later
from sql.pms.plans import Plan, plans
from sql.pms.prices import Night, PriceList, ask_fingerprint, fingerprint, price_list

_AHEAD = HORIZON + timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tariff:
    """A hotel's plans by key and its prices for nights in [first, until); fingerprint: of the rows behind them."""

    fingerprint: tuple[int, int]
    first: date
    until: date
    prices: PriceList
    plans: Mapping[str, Plan]


class UnpricedError(Exception):
    """The prices of a hotel's nights in [first, until) are not at hand: have `Tariffs.tariff` make them."""

    def __init__(self, hotel_id: int, first: date, until: date) -> None:
        super().__init__(hotel_id, first, until)
        self.wanted = (hotel_id, first, until)


class Tariffs:
    """The newest tariff of each hotel."""

    def __init__(self) -> None:
        self._kept: dict[int, Tariff] = {}
        self._making: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def nightly(
        self, conn: AsyncConnection, hotel_id: int, plan_keys: Collection[str] | None, first: date, until: date
    ) -> list[Night]:
        """The prices for the nights in [first, until), as `sql.pms.prices.PriceList.nights` gives them."""
        return (await self.tariff(conn, hotel_id, first, until)).prices.nights(plan_keys, first, until)

    async def tariff(self, conn: AsyncConnection, hotel_id: int, first: date, until: date) -> Tariff:
        """A hotel's plans and their prices for the nights in [first, until), as the PMS has them now."""
        try:
            return await self.at_hand(conn, hotel_id, first, until)
        except UnpricedError:
            async with self._making[hotel_id]:
                seen = await fingerprint(conn, hotel_id)
                return self._valid(hotel_id, seen, first, until) or await self._make(
                    conn, hotel_id, seen, first, until
                )

    async def at_hand(
        self,
        conn: AsyncConnection,
        hotel_id: int,
        first: date,
        until: date,
        seen: Later[tuple[int, int]] | None = None,
    ) -> Tariff:
        """As `tariff`, but only what is there already. seen: the fingerprint, where it was asked for before.

        Raises:
            UnpricedError: it was not made yet, or from other rows.
        """
        found = await (seen.get() if seen else fingerprint(conn, hotel_id))
        kept = self._valid(hotel_id, found, first, until)
        if kept is None:
            raise UnpricedError(hotel_id, first, until)
        return kept

    async def ask(self, conn: AsyncConnection, hotel_id: int) -> Later[tuple[int, int]]:
        """Ask for the fingerprint that `at_hand` takes as `seen`, without waiting for it."""
        return await ask_fingerprint(conn, hotel_id)

    def _valid(self, hotel_id: int, seen: tuple[int, int], first: date, until: date) -> Tariff | None:
        kept = self._kept.get(hotel_id)
        covers = kept is not None and kept.first <= first and until <= kept.until
        return kept if kept is not None and covers and kept.fingerprint == seen else None

    async def _make(
        self, conn: AsyncConnection, hotel_id: int, seen: tuple[int, int], first: date, until: date
    ) -> Tariff:
        today = datetime.now(UTC).date()
        first, until = min(first, today - timedelta(days=1)), max(until, today + _AHEAD)
        prices = await price_list(conn, hotel_id, first, until)
        kept = Tariff(seen, first, until, prices, await plans(conn, hotel_id, None))
        self._kept[hotel_id] = kept
        return kept
