"""What a night costs under a plan, worked out night by night from the raw rows, in exact fractions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import floor
from typing import Any

from psycopg.rows import DictRow

from tests.support.truth.rows import Document, Key, Rows

DAYS_BACK, DAYS_AHEAD = 400, 1200
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
class Charge:
    """What a night costs, in yen; `base` decides whether it is sold at all."""

    base: Decimal
    price: int
    net_price: int
    cancel_fee: int


def rates(rows: Rows, plans: dict[Key, Document], today: date) -> dict[Key, Document]:
    """The rates of every plan; instead of periods, `nights` tells [price, net_price, cancel_fee] of many dates.

    Nights that are not sold have none. The dates are those around `today` and around every date that a rate names.
    """
    everywhere, by_hotel = defaultdict(list), defaultdict(list)
    for row in rows.read("SELECT * FROM plans_rates ORDER BY id"):
        if row["plans_hotel_id"] is None:
            everywhere[row["plans_global_id"]].append(row)
        else:
            by_hotel[row["hotel_id"], row["plans_hotel_id"]].append(row)
    documents: dict[Key, Document] = {}
    for (_, hotel, plan_key), plan in plans.items():
        mine = everywhere[plan["global_plan_id"]] if plan["global_plan_id"] is not None else []
        mine = mine + by_hotel[hotel, plan["hotel_plan_id"]]
        documents["rates", hotel, plan_key] = {
            "hotel_id": hotel,
            "plan_key": plan_key,
            "currency": "JPY",
            "plan_type": plan["plan_type"] or "per_room",
            "nights": _told(tuple(tuple(row.items()) for row in mine), today),
        }
    return documents


@lru_cache(maxsize=256)
def _told(rates: tuple[tuple[tuple[str, Any], ...], ...], today: date) -> dict[str, list[int] | None]:
    """What these rows say, worked out once: tests ask again and again, and rates seldom change."""
    return {night.isoformat(): told for night, told in _nights([dict(row) for row in rates], today)}


def _nights(rates: Sequence[DictRow], today: date) -> Iterator[tuple[date, list[int] | None]]:
    charges: dict[tuple[bool, ...], Charge | None] = {}
    for night in sorted(dates(rates, today)):
        held = tuple(holds(rate, night) for rate in rates)
        if held not in charges:
            charges[held] = charge([rate for rate, does in zip(rates, held, strict=True) if does])
        found = charges[held]
        sold = found is not None and found.base > 0 and found.price >= 0
        yield night, [found.price, found.net_price, found.cancel_fee] if found and sold else None


def dates(rates: Iterable[DictRow], today: date) -> set[date]:
    """Every night of some years, and those on which the rates begin and end, with their neighbours."""
    found = {today + timedelta(days=n) for n in range(-DAYS_BACK, DAYS_AHEAD)} | {
        date(2000, 2, 29),
        date(2399, 12, 31),
    }
    for rate in rates:
        for edge in (rate["date_start"], rate["date_end"]):
            if edge is not None and date.min < edge < date.max:
                found |= {edge - timedelta(days=1), edge, edge + timedelta(days=1)}
    return found


def holds(rate: DictRow, night: date) -> bool:
    """Whether a rate applies to a night: its dates, and the weekday or month that it names."""
    if night < rate["date_start"] or (rate["date_end"] is not None and night > rate["date_end"]):
        return False
    if rate["condition_type"] == "no_restriction":
        return True
    wanted = WEEKDAYS[night.weekday()] if rate["condition_type"] == "day_of_week" else MONTHS[night.month - 1]
    return wanted in _named(rate["condition_value"])


@cache
def _named(value: str | None) -> frozenset[str]:
    """The weekdays or months of a condition; none where it is not a list of names."""
    try:
        found = json.loads(value or "null")
    except ValueError:
        return frozenset()
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        return frozenset()
    return frozenset(found)


def charge(held: Sequence[DictRow]) -> Charge | None:
    """What these rates, which all hold, come to; None where there are none."""
    if not held:
        return None
    values: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for rate in held:
        values[_part(rate)] += rate["adjustment_value"]
    base = sum((value for (kind, *_), value in values.items() if kind == "base_rate"), Decimal(0))
    cents, yen = Decimal("0.01"), Decimal(1)
    amounts = {
        part: (base * value / 100).quantize(cents, ROUND_HALF_UP) if part[0] == "percentage" else value
        for part, value in values.items()
    }
    fee = sum(amount.quantize(yen, ROUND_HALF_UP) for part, amount in amounts.items() if part[1])
    total = sum(amounts.values())
    price = floor(total / 100) * 100
    by_tax: dict[Fraction, Fraction] = defaultdict(Fraction)
    for part, amount in amounts.items():
        by_tax[_tax(part[3])] += Fraction(amount)
    main = max(
        (part[0] == "base_rate", values[part] if part[0] == "base_rate" else 0, _tax(part[3])) for part in values
    )
    by_tax[main[2]] += price - Fraction(total)
    taxes = sum(floor(share * tax / (1 + tax)) for tax, share in by_tax.items())
    return Charge(base, price, price - taxes, int(max(0, min(fee, price))))


def _part(rate: DictRow) -> tuple[object, ...]:
    """What rates have in common that a booking stores as one."""
    category = rate["sales_category"] or "accommodation"
    names = ("adjustment_type", "include_in_cancel_fee", "tax_type_id", "tax_rate")
    return *(rate[name] for name in names), category


def _tax(rate: object) -> Fraction:
    """A tax as a share of the net price."""
    if rate is None:
        return Fraction(0)
    assert isinstance(rate, Decimal)
    return Fraction(rate) / 100 if rate > 1 else Fraction(rate)
