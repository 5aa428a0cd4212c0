"""How much work prices are: it grows with the plans and with their rates, not with any square."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from psycopg.sql import SQL, Composed

from sql.pms.prices import DOCUMENT, NIGHTLY
from tests.integration.prices.catalogue import TODAY, Catalogue, Rate, fee, percent

UNTIL = TODAY + timedelta(days=730)
ASKED = {"hotels": [1], "first": TODAY, "until": UNTIL}


async def furnish(catalogue: Catalogue, plans: int) -> None:
    """So many more plans of hotel 1, each with a price of the year, a season, a weekend and a month."""
    numbers = await catalogue.conn.execute(
        "insert into plans_hotel (hotel_id, name, plan_type, plan_type_category_id)"
        " select 1, n::text, 'per_room', 1 from generate_series(1, %s) n returning id",
        [plans],
    )
    for (number,) in await numbers.fetchall():
        plan = f"h{number}"
        await catalogue.add(
            Rate(plan=plan),
            Rate("900", start=TODAY + timedelta(days=90), end=TODAY + timedelta(days=180), plan=plan),
            percent("12.5", weekdays=["friday", "saturday"], plan=plan),
            fee("1500", months=["august", "december"], plan=plan),
            fee("500", months=["may"], in_cancel_fee=True, plan=plan),
        )
    await catalogue.conn.execute("analyze plans_rates")


async def rows_touched(catalogue: Catalogue, query: Composed) -> int:
    """How many rows all nodes of the plan handle together."""
    explained = SQL("explain (analyze, timing off, format json) {}").format(query)
    row = await (await catalogue.conn.execute(explained, ASKED)).fetchone()
    assert row
    found: list[dict[str, Any]] = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return _rows(found[0]["Plan"])


def _rows(node: dict[str, Any]) -> int:
    here = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(here) + sum(_rows(child) for child in node.get("Plans", ()))


@pytest.mark.parametrize("query", [NIGHTLY, DOCUMENT], ids=["nightly", "document"])
async def test_twice_the_plans_are_twice_the_work(catalogue: Catalogue, query: Composed) -> None:
    await furnish(catalogue, 20)
    once = await rows_touched(catalogue, query)
    await furnish(catalogue, 20)
    twice = await rows_touched(catalogue, query)
    assert once < 60_000
    assert twice < 2.4 * once


async def test_twenty_plans_for_two_years(catalogue: Catalogue) -> None:
    await furnish(catalogue, 20)
    nights = await catalogue.nights(None, TODAY, UNTIL)
    assert len(nights) == 20 * 730
    assert {night.price.price for night in nights} == {8000, 8500, 8900, 9000, 9400, 9500, 10000, 10500}
