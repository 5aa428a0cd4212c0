"""Prices that are kept are those of the PMS now, whichever row changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import LiteralString

from api.prices.tariffs import Tariffs
from sql.pms import prices
from tests.support.api import Api

CHANGES: tuple[LiteralString, ...] = (
    "update plans_rates set adjustment_value = adjustment_value + 1000 where plans_global_id = 2"
    " and adjustment_type = 'base_rate'",
    """update plans_rates set condition_value = '["monday"]' where plans_global_id = 3"""
    " and condition_type = 'day_of_week'",
    "update plans_hotel set is_active = false where hotel_id = 1 and plans_global_id is null",
    "update plans_global set plan_type = 'per_room' where id = 2",
    "insert into hotel_plan_exclusions (hotel_id, global_plan_id) values (1, 2)",
    "delete from hotel_plan_exclusions where hotel_id = 1 and global_plan_id = 2",
    "delete from plans_rates where plans_hotel_id = (select min(id) from plans_hotel where hotel_id = 1)",
    "insert into plans_rates (hotel_id, plans_hotel_id, adjustment_type, adjustment_value, condition_type,"
    " date_start) select 1, min(id), 'flat_fee', 700, 'no_restriction', '2020-01-01' from plans_hotel"
    " where hotel_id = 1",
)


async def computed(
    api: Api, hotel_id: int, keys: Collection[str] | None, first: date, until: date
) -> list[prices.Night]:
    """The prices, computed anew."""
    return (await prices.price_list(api.desk, hotel_id, first, until)).nights(keys, first, until)


async def test_every_change_of_a_row_that_prices_come_from_shows_at_once(api: Api) -> None:
    lists, asked = Tariffs(), (1, None, api.day(0), api.day(20))
    shown = await lists.nightly(api.desk, *asked)
    assert shown == await computed(api, *asked)
    for change in CHANGES:
        assert (await api.desk.execute(change)).rowcount > 0, change
        before, shown = shown, await lists.nightly(api.desk, *asked)
        assert shown != before, change
        assert shown == await computed(api, *asked), change


async def test_it_is_computed_once_and_serves_any_plan_and_nights(api: Api) -> None:
    lists = Tariffs()
    await lists.nightly(api.desk, 1, None, api.day(5), api.day(6))
    kept = lists._kept[1]
    for keys, first, until in ((["2h"], api.day(1), api.day(3)), (["2h", "none"], api.day(300), api.day(399))):
        assert await lists.nightly(api.desk, 1, keys, first, until) == await computed(api, 1, keys, first, until)
    assert lists._kept[1] is kept
    past = (1, None, api.day(-30), api.day(1))
    assert await lists.nightly(api.desk, *past) == await computed(api, *past)
