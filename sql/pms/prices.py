"""What a night costs under a plan: the one price function of every door.

The algorithm, in prices.sql, is the one whose result staff bookings store: yen with tax, floored to 100. Plans are
those of the catalogue: a global plan that the hotel excludes, or varies by a plan of its own, has no nights here.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed

from sql.queries import load

_QUERIES = load("pms/prices.sql")
_PLANS = _QUERIES["plans"].format(catalogue=load("pms/content.sql")["plan"])


def _priced(query: str, *, within: SQL) -> Composed:
    cells = _QUERIES["cells"].format(within=within, components=_QUERIES["components"])
    return _QUERIES[query].format(plans=_PLANS, cells=cells)


DOCUMENT = _priced("document", within=SQL("true"))
"""(hotel_id, id, body, own, ends) of the rates of every plan of the hotels in %(hotels)s."""
NIGHTLY = _priced("nightly", within=_QUERIES["within"])
_DAY = timedelta(days=1)


class Component(NamedTuple):
    """A part of a price as the PMS's staff path stores it in reservation_rates.

    value: yen, or percent of the base rates; price: whole yen before the night's price is floored, so that their
    sum may exceed it by up to 100 yen. tax_rate is as the PMS has it, a share or (above 1) percent.
    """

    adjustment_type: str
    adjustment_value: Decimal
    include_in_cancel_fee: bool
    tax_type_id: int | None
    tax_rate: Decimal | None
    sales_category: str
    price: int


class Price(NamedTuple):
    """What a night costs, in yen: per room, or for plans of type per_person per head.

    price: with tax; net_price: without; cancel_fee: what the PMS charges for a cancellation, which flooring does
    not touch. tax_type_id and tax_rate are those of the largest base rate.
    """

    price: int
    net_price: int
    cancel_fee: int
    tax_type_id: int | None
    tax_rate: Decimal | None
    components: tuple[Component, ...]


class Night(NamedTuple):
    """The price of one night under one plan.

    on_sale: the plan is active and available on this date, and a base rate above 0 holds.
    """

    plan_key: str
    plan_type: str
    date: date
    on_sale: bool
    price: Price

    def revenue(self, people: int) -> int:
        """What a room with so many people pays for the night, in yen with tax."""
        return self.price.price * (people if self.plan_type == "per_person" else 1)


class PriceList:
    """What the plans of a hotel cost, night by night, within the days that it was read for."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._cells = sorted((_cell(row) for row in rows), key=lambda cell: cell.plan_key)

    def nights(self, plan_keys: Collection[str] | None, first: date, until: date) -> list[Night]:
        """The prices for the nights in [first, until), by plan and date; see `nightly`."""
        wanted = [cell for cell in self._cells if plan_keys is None or cell.plan_key in plan_keys]
        nights = [night for cell in wanted for night in cell.nights(first, until)]
        nights.sort(key=lambda night: (night.plan_key, night.date))
        return nights


class _Cell(NamedTuple):
    """The months and weekdays (as bits) of a period in which a plan's nights cost the same."""

    plan_key: str
    plan_type: str
    active: bool
    sold_from: date | None
    sold_until: date | None
    starts: date | None
    ends: date | None
    months: int
    weekdays: int
    priced: bool
    price: Price

    def nights(self, first: date, until: date) -> Iterator[Night]:
        """Its nights in [first, until)."""
        day, end = max(first, self.starts or first), min(until, self.ends or until)
        while day < end:
            if self.months >> (day.month - 1) & 1 and self.weekdays >> day.weekday() & 1:
                yield Night(self.plan_key, self.plan_type, day, self._on_sale(day), self.price)
            day += _DAY

    def _on_sale(self, day: date) -> bool:
        available = (self.sold_from is None or self.sold_from <= day) and (
            self.sold_until is None or day <= self.sold_until
        )
        return self.active and self.priced and available


async def nightly(
    conn: AsyncConnection, hotel_id: int, plan_keys: Collection[str] | None, first: date, until: date
) -> list[Night]:
    """The prices of a hotel's plans for the nights in [first, until), by plan and date.

    A night on which no rate holds, and a plan that the hotel does not have, are left out. `plan_keys` None: every
    plan.
    """
    return (await price_list(conn, hotel_id, plan_keys, first, until)).nights(plan_keys, first, until)


async def price_list(
    conn: AsyncConnection, hotel_id: int, plan_keys: Collection[str] | None, first: date, until: date
) -> PriceList:
    """The prices of a hotel's plans, all of them for `plan_keys` None, good for the nights in [first, until)."""
    wanted = {
        "hotels": [hotel_id],
        "plan_keys": None if plan_keys is None else list(plan_keys),
        "first": first,
        "until": until,
    }
    return PriceList(await (await conn.execute(NIGHTLY, wanted)).fetchall())


async def fingerprint(conn: AsyncConnection, hotel_id: int) -> tuple[int, int]:
    """Of the rows that a hotel's prices come from: another whenever one of them is changed, added or deleted."""
    row = await (await conn.execute(_QUERIES["fingerprint"], {"hotel": hotel_id})).fetchone()
    assert row is not None  # a select of aggregates gives one row
    return row[0], row[1]


def _cell(row: tuple[Any, ...]) -> _Cell:
    yen, net_price, cancel_fee, tax_type_id, tax_rate, by_tax = row[10:]
    components = tuple(_component(part) for parts in by_tax for part in parts)
    return _Cell._make((*row[:10], Price(yen, net_price, cancel_fee, tax_type_id, tax_rate, components)))


def _component(part: list[Any]) -> Component:
    kind, value, in_cancel_fee, tax_type_id, tax_rate, category, price = part
    rate = None if tax_rate is None else Decimal(str(tax_rate))
    return Component(kind, Decimal(str(value)), in_cancel_fee, tax_type_id, rate, category, int(price))
