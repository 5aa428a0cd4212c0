"""What a night costs under a plan, by the algorithm whose result staff bookings store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of plans_rates: yen or percent, and when it holds."""

    adjustment_type: str
    value: Decimal
    condition_type: str
    condition_value: str | None
    start: date
    end: date | None
    tax_type_id: int | None = 3
    tax_rate: Decimal | None = Decimal("0.1")

    def holds(self, night: date) -> bool:
        """Whether the rate applies to a night: its season, and its weekday or month."""
        if night < self.start or (self.end is not None and night > self.end):
            return False
        if self.condition_type == "no_restriction":
            return True
        named = WEEKDAYS[night.weekday()] if self.condition_type == "day_of_week" else MONTHS[night.month - 1]
        try:
            return named in json.loads(self.condition_value or "[]")
        except ValueError:
            # What staff typed is no JSON: such a rate never holds.
            return False


def price(rates: Iterable[Rate], night: date) -> int:
    """Tax-inclusive yen for a night: base, percentages of it by tax, flat fees, floored to 100 yen."""
    base, flat = Decimal(0), Decimal(0)
    percentages: dict[tuple[int | None, Decimal | None], Decimal] = {}
    for rate in rates:
        if not rate.holds(night):
            continue
        if rate.adjustment_type == "base_rate":
            base += rate.value
        elif rate.adjustment_type == "flat_fee":
            flat += rate.value
        else:
            group = (rate.tax_type_id, rate.tax_rate)
            percentages[group] = percentages.get(group, Decimal(0)) + rate.value
    cents = Decimal("0.01")
    total = base + flat + sum((base * p / 100).quantize(cents, ROUND_HALF_UP) for p in percentages.values())
    return int(total // 100 * 100)
