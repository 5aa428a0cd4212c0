"""The document of a plan's rates: periods, months and weekdays, in the fewest words."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.integration.prices.catalogue import CLOSED, GLOBAL, OWN, Catalogue, Rate, fee, percent

YEAR = list(range(1, 13))
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKEND = ["friday", "saturday"]


def entry(price: int, months: list[int] | None = None, weekdays: list[str] | None = None) -> dict[str, Any]:
    """An entry with 10 % of tax and no cancel fee."""
    return {
        "price": price,
        "net_price": price - price // 11,
        "cancel_fee": 0,
        "months": months or YEAR,
        "weekdays": weekdays or WEEK,
    }


async def test_one_price_for_ever(catalogue: Catalogue) -> None:
    await catalogue.add(Rate())
    assert await catalogue.document() == {
        "hotel_id": 1,
        "plan_key": OWN,
        "currency": "JPY",
        "plan_type": "per_room",
        "periods": [{"from": "2024-01-01", "until": None, "prices": [entry(8000)]}],
    }


async def test_a_plan_without_rates_sells_no_night(catalogue: Catalogue) -> None:
    assert (await catalogue.document())["periods"] == []
    await catalogue.add(fee("500"), Rate("0"))
    assert (await catalogue.document())["periods"] == []


async def test_rates_say_nothing_of_whether_the_plan_is_offered(catalogue: Catalogue) -> None:
    await catalogue.add(Rate(plan=CLOSED), Rate(plan=GLOBAL))
    assert (await catalogue.document(CLOSED))["periods"]
    assert (await catalogue.document(GLOBAL))["plan_type"] == "per_person"


async def test_periods_begin_and_end_with_rates_and_leave_gaps_out(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate("7000", start=date(2026, 1, 1), end=date(2026, 12, 31)),
        fee("1000", start=date(2026, 8, 1), end=date(2027, 8, 1)),
        Rate("9000", start=date(2027, 4, 1)),
    )
    assert [
        (p["from"], p["until"], [e["price"] for e in p["prices"]]) for p in (await catalogue.document())["periods"]
    ] == [
        ("2026-01-01", "2026-08-01", [7000]),
        ("2026-08-01", "2027-01-01", [8000]),
        ("2027-04-01", "2027-08-02", [10000]),
        ("2027-08-02", None, [9000]),
    ]


async def test_months_and_weekdays_that_cost_the_same_stand_together(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate(),
        percent("10", weekdays=["saturday"]),
        fee("800", weekdays=["friday"]),
        fee("0", months=["june"]),
        fee("2000", months=["december", "august"]),
    )
    week, most, high = [day for day in WEEK if day not in WEEKEND], [1, 2, 3, 4, 5, 6, 7, 9, 10, 11], [8, 12]
    assert (await catalogue.document())["periods"][0]["prices"] == [
        entry(8000, most, week),
        entry(8800, most, WEEKEND),
        entry(10000, high, week),
        entry(10800, high, WEEKEND),
    ]


async def test_what_differs_in_tax_or_cancel_fee_alone_stands_apart(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate(), fee("-100", weekdays=WEEKEND, tax=(1, "0")), fee("100", weekdays=WEEKEND, in_cancel_fee=True)
    )
    prices = (await catalogue.document())["periods"][0]["prices"]
    assert [(e["price"], e["net_price"], e["cancel_fee"], e["weekdays"]) for e in prices] == [
        (8000, 7264, 100, WEEKEND),
        (8000, 7273, 0, [day for day in WEEK if day not in WEEKEND]),
    ]


async def test_only_months_that_a_period_touches_are_named(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate(start=date(2026, 12, 28), end=date(2027, 1, 3)), fee("500", months=["january", "july"])
    )
    assert (await catalogue.document())["periods"] == [
        {"from": "2026-12-28", "until": "2027-01-04", "prices": [entry(8000, [12]), entry(8500, [1])]}
    ]


async def test_a_rate_without_beginning_begins_with_null(catalogue: Catalogue) -> None:
    await catalogue.add(Rate(start="-infinity", end=date(9999, 12, 31)))
    assert [(p["from"], p["until"]) for p in (await catalogue.document())["periods"]] == [(None, None)]


async def test_a_night_is_sold_only_where_a_base_rate_holds(catalogue: Catalogue) -> None:
    await catalogue.add(Rate(weekdays=WEEKEND), fee("1000"))
    assert (await catalogue.document())["periods"][0]["prices"] == [entry(9000, YEAR, WEEKEND)]
