"""What a night costs under a plan: the one price function of every door.

The algorithm, in prices.sql, is the one whose result staff bookings store: yen with tax, floored to 100. Plans are
those of the catalogue: a global plan that the hotel excludes, or varies by a plan of its own, has no nights here.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed

from sql.later import Later
from sql.queries import load

_QUERIES = load("pms/prices.sql")
CANCEL_FEE = _QUERIES["cancel_fee"]
"""The one function of what a cancelled night costs: {noted} by its rates, and its {price}."""
_PLANS = _QUERIES["plans"].format(catalogue=load("pms/content.sql")["plan"])


def _priced(query: str, *, holding: SQL, within: SQL, weekdays: SQL) -> Composed:
    fee = CANCEL_FEE.format(noted=SQL("coalesce(sum(f.cancel_fee), 0)"), price=SQL("f.price"))
    cells = _QUERIES["cells"].format(
        holding=holding, within=within, weekdays=weekdays, components=_QUERIES["components"], cancel_fee=fee
    )
    return _QUERIES[query].format(plans=_PLANS, cells=cells)


DOCUMENT = _priced("document", holding=SQL("true"), within=SQL("true"), weekdays=SQL("127"))
"""(hotel_id, id, body, own, ends) of the rates of every plan of the hotels in %(hotels)s."""
NIGHTLY = _priced("nightly", **{name: _QUERIES[name] for name in ("holding", "within", "weekdays")})
_DAY = timedelta(days=1)
_SLOTS = 13 * 7


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

    price: with tax; net_price: without; cancel_fee: what of the price is due even where the night is cancelled, in
    whole yen. tax_type_id and tax_rate are those of the largest base rate.
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
        return self.price.price * self._times(people)

    def cancel_fee(self, people: int) -> int:
        """What of that is due even where the night is cancelled."""
        return self.price.cancel_fee * self._times(people)

    def _times(self, people: int) -> int:
        return people if self.plan_type == "per_person" else 1


class PriceList:
    """What the plans of a hotel cost, night by night, within the days that it was read for."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        periods: dict[tuple[str, date], _Period] = {}
        for (
            plan_key,
            plan_type,
            active,
            sold_from,
            sold_until,
            starts,
            ends,
            months,
            weekdays,
            priced,
            *price,
        ) in rows:
            period = periods.get((plan_key, starts or date.min))
            if period is None:
                sold = (sold_from or date.min, sold_until or date.max) if active else (date.max, date.min)
                period = _Period(plan_key, plan_type, *sold, starts or date.min, ends or date.max, [None] * _SLOTS)
                periods[plan_key, period.starts] = period
            period.fill(months, weekdays, (_price(price), priced))
        self._periods = [period for _, period in sorted(periods.items(), key=itemgetter(0))]

    def nights(self, plan_keys: Collection[str] | None, first: date, until: date) -> list[Night]:
        """The prices of these plans (None: all) for the nights in [first, until), by plan and date.

        A night on which no rate holds, and a plan that the hotel does not have, are left out.
        """
        days = [first + n * _DAY for n in range((until - first).days)]
        slots = [(day, day.month * 7 + day.weekday()) for day in days]
        return [
            night
            for period in self._periods
            if plan_keys is None or period.plan_key in plan_keys
            for night in period.nights(
                slots[max(0, (period.starts - first).days) : max(0, (period.ends - first).days)]
            )
        ]


class _Period(NamedTuple):
    """Nights of a plan in [starts, ends) whose price depends on month and weekday alone.

    sold_from, sold_until: the first and the last day that the plan is on sale. prices: by month * 7 + weekday; with
    each whether it may be sold for that.
    """

    plan_key: str
    plan_type: str
    sold_from: date
    sold_until: date
    starts: date
    ends: date
    prices: list[tuple[Price, bool] | None]

    def fill(self, months: int, weekdays: int, price: tuple[Price, bool]) -> None:
        """Set the price of these months and weekdays, which are bits."""
        for month in range(12):
            if months >> month & 1:
                for weekday in range(7):
                    if weekdays >> weekday & 1:
                        self.prices[(month + 1) * 7 + weekday] = price

    def nights(self, days: Iterable[tuple[date, int]]) -> Iterator[Night]:
        """Those of these days, given with their places in `prices`, that have a price."""
        plan_key, plan_type, sold_from, sold_until, _, _, prices = self
        for day, place in days:
            if found := prices[place]:
                price, priced = found
                yield Night(plan_key, plan_type, day, priced and sold_from <= day <= sold_until, price)


async def price_list(conn: AsyncConnection, hotel_id: int, first: date, until: date) -> PriceList:
    """The prices of a hotel's plans, good for the nights in [first, until)."""
    wanted = {"hotels": [hotel_id], "first": first, "until": until}
    return PriceList(await (await conn.execute(NIGHTLY, wanted, prepare=True)).fetchall())


async def fingerprint(conn: AsyncConnection, hotel_id: int) -> tuple[int, int]:
    """As `ask_fingerprint`, and wait for the answer."""
    return await (await ask_fingerprint(conn, hotel_id)).get()


async def ask_fingerprint(conn: AsyncConnection, hotel_id: int) -> Later[tuple[int, int]]:
    """Of the rows that a hotel's prices come from: another whenever one of them is changed, added or deleted."""
    return Later(await conn.execute(_QUERIES["fingerprint"], {"hotel": hotel_id}), tuple)


def _price(columns: list[Any]) -> Price:
    *amounts, by_tax = columns
    return Price._make((*amounts, tuple(_component(part) for parts in by_tax for part in parts)))


def _component(part: list[Any]) -> Component:
    kind, value, in_cancel_fee, tax_type_id, tax_rate, category, price = part
    rate = None if tax_rate is None else Decimal(str(tax_rate))
    return Component(kind, Decimal(str(value)), in_cancel_fee, tax_type_id, rate, category, int(price))
