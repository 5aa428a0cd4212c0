"""The price of a night, rule by rule, against tables worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sql.pms.prices import Component
from tests.integration.prices.catalogue import (
    CLOSED,
    EXCLUDED,
    FRIDAY,
    GLOBAL,
    OWN,
    SUNDAY,
    VARIANT,
    Catalogue,
    Rate,
    fee,
    percent,
)

WEEKEND = ["friday", "saturday"]


REDUCED = (2, "0.08")


@pytest.mark.parametrize(
    ("rates", "night", "price", "net_price"),
    [
        pytest.param([Rate()], FRIDAY, 8000, 7273, id="one base rate"),
        pytest.param([Rate(), Rate("500")], FRIDAY, 8500, 7728, id="base rates add up"),
        pytest.param([Rate("9350")], FRIDAY, 9300, 8455, id="floored to 100 yen"),
        pytest.param([Rate("9399.99")], FRIDAY, 9300, 8455, id="floored, not rounded"),
        pytest.param([Rate(), percent("12.5", weekdays=WEEKEND)], FRIDAY, 9000, 8182, id="on the weekend"),
        pytest.param([Rate(), percent("12.5", weekdays=WEEKEND)], SUNDAY, 8000, 7273, id="not on a Sunday"),
        pytest.param([Rate(), fee("1000", months=["december", "may"])], SUNDAY, 9000, 8182, id="in December"),
        pytest.param([Rate(), fee("1000", months=["may"])], SUNDAY, 8000, 7273, id="not in May"),
        pytest.param([Rate(), percent("10"), fee("1000")], FRIDAY, 9800, 8910, id="percentages leave fees alone"),
        pytest.param([Rate(), percent("10"), percent("20")], FRIDAY, 10400, 9455, id="percentages do not compound"),
        pytest.param(
            [Rate(), Rate("2000"), percent("-10")], FRIDAY, 9000, 8182, id="a percentage of all base rates"
        ),
        pytest.param([Rate("3333"), percent("12.34")], FRIDAY, 3700, 3364, id="3,333 + 411.29"),
        pytest.param([Rate(), fee("150"), fee("60")], FRIDAY, 8200, 7455, id="fees below 100 yen add up"),
        pytest.param([Rate(), fee("-500")], FRIDAY, 7500, 6819, id="a fee may be a discount"),
        pytest.param([Rate("9990"), percent("0.05"), percent("0.05")], FRIDAY, 9900, 9000, id="one group: 9.99"),
        pytest.param(
            [Rate("9990"), percent("0.05"), percent("0.05", tax=REDUCED)],
            FRIDAY,
            10000,
            9092,
            id="two groups: 5 + 5",
        ),
        pytest.param(
            [Rate("9990"), percent("0.05"), percent("0.05", in_cancel_fee=True)],
            FRIDAY,
            10000,
            9091,
            id="grouped by cancel fee",
        ),
        pytest.param(
            [Rate("9990"), percent("0.05"), percent("0.05", category="other")],
            FRIDAY,
            10000,
            9091,
            id="grouped by sales category",
        ),
        pytest.param(
            [Rate("9990"), percent("0.05"), percent("0.05", category=None)],
            FRIDAY,
            9900,
            9000,
            id="no category is accommodation",
        ),
        # 7,200 bear 10 % (654 yen), the discount of 800 bears 8 % (-60 yen).
        pytest.param(
            [Rate(), percent("-10"), percent("-10", tax=REDUCED)], FRIDAY, 6400, 5806, id="each part bears its tax"
        ),
        # Of 8,070 the 70 are taken off the larger base rate: 6,930 at 10 % (630) and 1,070 at 8 % (79).
        pytest.param(
            [Rate("7000"), Rate("1070", tax=REDUCED)], FRIDAY, 8000, 7291, id="what flooring takes off bears tax"
        ),
        pytest.param([Rate("5400", tax=(1, "0"))], FRIDAY, 5400, 5400, id="untaxed"),
        pytest.param([Rate("5400", tax=REDUCED)], FRIDAY, 5400, 5000, id="8 %"),
        pytest.param([Rate("5400", tax=(2, "8"))], FRIDAY, 5400, 5000, id="8 % written as 8"),
        pytest.param([Rate("1100", tax=(3, "10"))], FRIDAY, 1100, 1000, id="10 % written as 10"),
        pytest.param([Rate("1100", tax=(None, None))], FRIDAY, 1100, 1100, id="no tax said"),
        pytest.param([Rate(), fee("200", tax=(1, "0"))], FRIDAY, 8200, 7473, id="an untaxed fee"),
        pytest.param([fee("1000")], FRIDAY, 1000, 910, id="a fee alone"),
        pytest.param([Rate("100"), fee("-250")], FRIDAY, -200, -181, id="floored downwards"),
    ],
)
async def test_price(catalogue: Catalogue, rates: list[Rate], night: date, price: int, net_price: int) -> None:
    await catalogue.add(*rates)
    found = await catalogue.night(night)
    assert found
    assert (found.price.price, found.price.net_price) == (price, net_price)


@pytest.mark.parametrize(
    ("rates", "cancel_fee"),
    [
        ([Rate()], 0),
        ([Rate("9350", in_cancel_fee=True)], 9300),
        ([Rate("9350"), fee("50", in_cancel_fee=True)], 50),
        ([Rate("9350", in_cancel_fee=True), fee("-2000")], 7300),
        ([Rate("9350"), fee("-300", in_cancel_fee=True)], 0),
        ([Rate(in_cancel_fee=True), percent("12.5", in_cancel_fee=True), fee("300")], 9000),
        ([Rate("3333"), percent("12.34", in_cancel_fee=True)], 411),
        ([Rate("3333"), percent("12.35", in_cancel_fee=True), fee("0.5", in_cancel_fee=True)], 413),
    ],
)
async def test_cancel_fee(catalogue: Catalogue, rates: list[Rate], cancel_fee: int) -> None:
    await catalogue.add(*rates)
    found = await catalogue.night(FRIDAY)
    assert found
    assert found.price.cancel_fee == cancel_fee


async def test_a_variant_costs_its_own_rates_on_top_of_the_global_ones(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate(plan="1h"), percent("10", plan="1h"), fee("250", plan=VARIANT), fee("70", plan="1h4", hotel=2)
    )
    found = [await catalogue.night(FRIDAY, VARIANT), await catalogue.night(FRIDAY, "1h4", hotel=2)]
    assert [night and night.price.price for night in found] == [9000, 8800]
    assert await catalogue.night(FRIDAY, "1h") is None


async def test_the_same_number_may_be_another_hotels_plan(catalogue: Catalogue) -> None:
    await catalogue.conn.execute(
        "insert into plans_hotel (hotel_id, id, name, plan_type, plan_type_category_id)"
        " values (2, 2, '別', 'per_room', 1)"
    )
    await catalogue.add(Rate("7000"), Rate("5000", hotel=2))
    found = [await catalogue.night(FRIDAY, hotel=hotel) for hotel in (1, 2)]
    assert [night and night.price.price for night in found] == [7000, 5000]


async def test_a_night_without_rates_and_a_plan_that_is_not_there_have_no_price(catalogue: Catalogue) -> None:
    assert await catalogue.night(FRIDAY) is None
    await catalogue.add(Rate(plan="5h"), Rate(plan="4h"))
    assert await catalogue.night(FRIDAY, EXCLUDED) is None
    assert await catalogue.night(FRIDAY, "99h") is None
    assert await catalogue.night(FRIDAY, "4h")
    assert [night.plan_key for night in await catalogue.nights(None, FRIDAY, SUNDAY)] == ["4h", "4h"]
    assert await catalogue.nights(None, FRIDAY, FRIDAY) == []


@pytest.mark.parametrize(("plan", "people", "revenue"), [(OWN, 3, 8000), (GLOBAL, 3, 24000), (GLOBAL, 1, 8000)])
async def test_revenue(catalogue: Catalogue, plan: str, people: int, revenue: int) -> None:
    await catalogue.add(Rate(plan=plan))
    found = await catalogue.night(FRIDAY, plan)
    assert found
    assert found.revenue(people) == revenue


@pytest.mark.parametrize(
    ("rates", "on_sale"),
    [
        ([Rate()], True),
        ([Rate("1")], True),
        ([Rate(), percent("-100")], True),
        ([fee("8000")], False),
        ([Rate("0"), fee("8000")], False),
        ([Rate("-1"), fee("8000")], False),
        ([Rate(), fee("-8001")], False),
        ([Rate(plan=CLOSED)], False),
    ],
)
async def test_only_what_has_a_base_rate_is_on_sale(catalogue: Catalogue, rates: list[Rate], on_sale: bool) -> None:
    await catalogue.add(*rates)
    found = await catalogue.night(FRIDAY, rates[0].plan)
    assert found
    assert found.on_sale == on_sale


async def test_a_plan_is_on_sale_from_its_first_day_to_its_last(catalogue: Catalogue) -> None:
    await catalogue.add(Rate(), Rate(plan=GLOBAL))
    await catalogue.conn.execute(
        "update plans_hotel set available_from = '2026-12-05', available_until = '2026-12-06' where id = 2"
    )
    nights = await catalogue.nights(None, FRIDAY, date(2026, 12, 8))
    sold = {
        plan: [night.date.day for night in nights if night.plan_key == plan and night.on_sale]
        for plan in (OWN, GLOBAL)
    }
    assert sold == {OWN: [5, 6], GLOBAL: [4, 5, 6, 7]}


async def test_components_are_the_rows_that_a_booking_stores(catalogue: Catalogue) -> None:
    await catalogue.add(
        Rate("9000", in_cancel_fee=True),
        Rate("333", in_cancel_fee=True),
        percent("12.5"),
        percent("2.5"),
        fee("150", tax=(1, "0"), category="other"),
        fee("1", months=["may"]),
    )
    found = await catalogue.night(FRIDAY)
    assert found
    tenth = Decimal("0.1")
    assert sorted(found.price.components) == [
        Component("base_rate", Decimal(9333), True, 3, tenth, "accommodation", 9333),
        Component("flat_fee", Decimal(150), False, 1, Decimal(0), "other", 150),
        Component("percentage", Decimal(15), False, 3, tenth, "accommodation", 1400),
    ]
    assert (found.price.price, found.price.tax_type_id, found.price.tax_rate) == (10800, 3, tenth)
    assert found.price.cancel_fee == 9333


async def test_the_tax_of_a_night_is_that_of_its_largest_base_rate(catalogue: Catalogue) -> None:
    await catalogue.add(Rate("3000"), Rate("5000", tax=REDUCED), percent("300"), fee("90000", tax=(1, "0")))
    found = await catalogue.night(FRIDAY)
    assert found
    assert (found.price.tax_type_id, found.price.tax_rate) == (2, Decimal("0.08"))
