"""Random rates: nights and documents say what an independent computation says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from tests.integration.prices.catalogue import CLOSED, GLOBAL, OWN, TODAY, VARIANT, Catalogue, Rate
from tests.support.mirror.rates import by_night
from tests.support.truth.rates import MONTHS, WEEKDAYS, charge, dates, holds

ODD = st.sampled_from([None, "", "[]", '["Monday"]', '["monday"', '["may", 5]', "{}"])
days = st.integers(-200, 500).map(lambda n: TODAY + timedelta(days=n))
conditions = st.one_of(
    st.just(("no_restriction", None)),
    st.tuples(
        st.just("day_of_week"),
        st.lists(st.sampled_from(WEEKDAYS), max_size=4).map(lambda x: str(x).replace("'", '"')),
    ),
    st.tuples(
        st.just("month"), st.lists(st.sampled_from(MONTHS), max_size=5).map(lambda x: str(x).replace("'", '"'))
    ),
    st.tuples(st.sampled_from(["day_of_week", "month"]), ODD),
)
amounts = st.one_of(
    st.tuples(st.just("base_rate"), st.decimals(-500, 30000, places=2)),
    st.tuples(st.just("percentage"), st.decimals(-60, 60, places=2)),
    st.tuples(st.just("flat_fee"), st.decimals(-3000, 3000, places=2)),
)
taxes = st.sampled_from([(3, "0.1"), (2, "0.08"), (1, "0"), (3, "10"), (2, "8"), (None, None)])


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """Any rate that the PMS's schema allows."""
    (kind, value), start = draw(amounts), draw(days)
    return Rate(
        str(value),
        kind,
        said=draw(conditions),
        start=start,
        end=draw(st.none() | st.integers(-2, 300).map(lambda n: start + timedelta(days=n))),
        tax=draw(taxes),
        in_cancel_fee=draw(st.booleans()),
        category=draw(st.sampled_from(["accommodation", "other", None])),
        plan=draw(st.sampled_from([OWN, OWN, VARIANT, "1h", GLOBAL, CLOSED])),
    )


# Shrinking a failure on a real server takes minutes.
@settings(
    max_examples=60,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entered=st.lists(rates(), max_size=10))
async def test_any_rates_cost_what_they_should(catalogue: Catalogue, entered: list[Rate]) -> None:
    await catalogue.conn.execute("delete from plans_rates")
    await catalogue.add(*entered)
    async with catalogue.conn.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute("select * from plans_rates")).fetchall()
    first, until = TODAY - timedelta(days=210), TODAY + timedelta(days=820)
    told = {(night.plan_key, night.date): night for night in await catalogue.nights(None, first, until)}
    for plan in (OWN, VARIANT, GLOBAL):
        general, _, own = plan.partition("h")
        mine = [
            row
            for row in rows
            if str(row["plans_hotel_id"]) == own or (general and str(row["plans_global_id"]) == general)
        ]
        sold = {}
        for night in dates(mine, TODAY):
            right = charge([row for row in mine if holds(row, night)])
            found = told.get((plan, night))
            if first <= night < until:
                assert (found is None) == (right is None)
            if found and right:
                price = found.price
                assert (price.price, price.net_price, price.cancel_fee) == (
                    right.price,
                    right.net_price,
                    right.cancel_fee,
                )
                noted = sum(part.price for part in price.components if part.include_in_cancel_fee)
                assert max(0, min(noted, price.price)) == right.cancel_fee
                assert abs(sum(part.price for part in price.components) - price.price) <= Decimal(100) + len(
                    price.components
                )
            sells = right is not None and right.base > 0 and right.price >= 0
            sold[night.isoformat()] = [right.price, right.net_price, right.cancel_fee] if right and sells else None
        assert by_night(await catalogue.document(plan), sold)["nights"] == sold
