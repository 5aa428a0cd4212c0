"""Rates as staff enter them, and what the product makes of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection

from sql.pms.prices import DOCUMENT, Night, price_list

TODAY = date(2026, 11, 23)
FRIDAY, SUNDAY = date(2026, 12, 4), date(2026, 12, 6)
OWN, VARIANT, CLOSED, GLOBAL, EXCLUDED = "h2", "1h1", "3h3", "2h", "5h"
"""Plans of hotel 1: its own, its variant of a global one, one that is not active, a global one, one it excludes."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A row of plans_rates, by default 8,000 yen a night with 10 % tax for ever."""

    value: str = "8000"
    kind: str = "base_rate"
    weekdays: Sequence[str] | None = None
    months: Sequence[str] | None = None
    said: tuple[str, str | None] | None = None
    """Condition type and value as they are written, in place of weekdays or months."""
    start: date | str = date(2024, 1, 1)
    end: date | str | None = None
    tax: tuple[int | None, str | None] = (3, "0.1")
    in_cancel_fee: bool = False
    category: str | None = "accommodation"
    plan: str = OWN
    hotel: int = 1

    def row(self) -> tuple[Any, ...]:
        """The columns in the order of `Catalogue.add`."""
        general, _, own = self.plan.partition("h")
        condition: tuple[str, str | None] = ("no_restriction", None)
        if self.said:
            condition = self.said
        elif self.weekdays:
            condition = ("day_of_week", json.dumps(self.weekdays))
        elif self.months:
            condition = ("month", json.dumps(self.months))
        owner = (self.hotel, None, int(own)) if own else (None, int(general), None)
        tax_type, tax_rate = self.tax
        rate = None if tax_rate is None else Decimal(tax_rate)
        amount = (self.kind, Decimal(self.value), self.in_cancel_fee, tax_type, rate, self.category)
        return *owner, *amount, *condition, str(self.start), self.end and str(self.end)


def percent(value: str, **how: Any) -> Rate:
    """A percentage of all base rates."""
    return Rate(value, "percentage", **how)


def fee(value: str, **how: Any) -> Rate:
    """A flat fee."""
    return Rate(value, "flat_fee", **how)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The plans of two hotels."""

    conn: AsyncConnection

    async def add(self, *rates: Rate) -> None:
        """Enter rates."""
        async with self.conn.cursor() as cursor:
            await cursor.executemany(
                """insert into plans_rates (hotel_id, plans_global_id, plans_hotel_id, adjustment_type,
                    adjustment_value, include_in_cancel_fee, tax_type_id, tax_rate, sales_category, condition_type,
                    condition_value, date_start, date_end)
                values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::text::date, %s::text::date)""",
                [rate.row() for rate in rates],
            )

    async def night(self, day: date, plan: str = OWN, *, hotel: int = 1) -> Night | None:
        """What the product says of one night."""
        found = await self.nights([plan], day, day + timedelta(days=1), hotel=hotel)
        assert len(found) <= 1
        return found[0] if found else None

    async def nights(
        self, plans: Collection[str] | None, first: date, until: date, *, hotel: int = 1
    ) -> list[Night]:
        """What the product says of several nights."""
        return (await price_list(self.conn, hotel, first, until)).nights(plans, first, until)

    async def document(self, plan: str = OWN, *, hotel: int = 1) -> dict[str, Any]:
        """The document of a plan's rates."""
        rows = await (await self.conn.execute(DOCUMENT, {"hotels": [hotel]})).fetchall()
        bodies: dict[str, dict[str, Any]] = {plan_key: body for _, plan_key, _, _, body in rows}
        return bodies[plan]
