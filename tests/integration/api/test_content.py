"""Content: the shapes that exist today, field for field, from documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, LiteralString

from tests.support.api import Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


async def write(api: Api, statement: LiteralString, *values: Any) -> None:
    """One statement of the PMS's staff, and the documents in step with it."""
    async with api.desk.transaction():
        await api.desk.execute("select set_config('my_app.user_id', '1', true)")
        await api.desk.execute(statement, values)
    await api.project()


async def test_hotels_are_the_pms_s_rows(api: Api) -> None:
    answer = await api.get("/hotels")
    assert answer.status == 200, answer.body
    rows = await api.rows(
        "select id, name, formal_name, facility_type, open_date::text, total_rooms, postal_code, address, email,"
        " phone_number from hotels order by id"
    )
    names = "hotel_id name formal_name facility_type open_date total_rooms postal_code address email phone_number"
    assert [tuple(hotel[name] for name in names.split()) for hotel in answer.body["hotels"]] == rows
    assert len(rows) == 2
    assert answer.body["stale"] is False


async def test_one_hotel_is_as_in_the_list_and_bare(api: Api) -> None:
    listed = (await api.get("/hotels")).body["hotels"][1]
    read = (await api.get("/hotels/2")).body
    assert {name: read[name] for name in listed} == listed
    assert set(read) - set(listed) == {"as_of", "stale"}


async def test_a_new_hotel_is_known_at_once(api: Api) -> None:
    assert (await api.get("/hotels/77")).status == 404
    await write(api, "insert into hotels (id, name, created_by) values (77, 'New', 1)")
    api.context.hotels._looked_at = float("-inf")
    assert (await api.get("/hotels/77")).body["name"] == "New"


async def test_room_types_are_the_pms_s_rows_by_name(api: Api) -> None:
    answer = (await api.get("/room-types/1")).body
    rows = await api.rows(
        "select t.id, t.name, t.description, t.hotel_id, count(r.id), max(r.capacity) from room_types t"
        " left join rooms r on r.room_type_id = t.id and r.hotel_id = t.hotel_id"
        " and r.for_sale and not r.is_staff_room where t.hotel_id = 1 group by 1, 2, 3, 4 order by t.name"
    )
    names = ("id", "name", "description", "hotel_id", "rooms", "capacity")
    assert [tuple(one[name] for name in names) for one in answer["room_types"]] == rows
    assert len(rows) > 1
    assert answer["hotel_id"] == 1


async def test_plans_are_those_on_sale_today_by_the_hotel_s_clock(api: Api) -> None:
    everything = [plan["plan_key"] for plan in (await api.get("/plans/1")).body["plans"]]
    own = [key for key in everything if not key.endswith("h")]
    key, number = own[0], int(own[0].split("h")[1])
    statement: LiteralString = (
        "update plans_hotel set available_from = %s, available_until = %s where hotel_id = 1 and id = %s"
    )
    day = timedelta(days=1)
    for first, last, offered in (
        (api.day(0), None, True),
        (api.day(0) + day, None, False),
        (None, api.day(0), True),
        (None, api.day(0) - day, False),
    ):
        await write(api, statement, first, last, number)
        found = [plan["plan_key"] for plan in (await api.get("/plans/1")).body["plans"]]
        assert (key in found) is offered, (first, last)
        assert set(everything) - set(found) <= {key}
    await write(
        api,
        "update plans_hotel set available_from = null, available_until = null, is_active = false"
        " where hotel_id = 1 and id = %s",
        number,
    )
    assert key not in [plan["plan_key"] for plan in (await api.get("/plans/1")).body["plans"]]


async def test_a_plan_says_what_the_pms_s_own_api_does(api: Api) -> None:
    plans = (await api.get("/plans/1")).body["plans"]
    for plan in plans:
        assert plan["plan_key"] == f"{plan['global_plan_id'] or ''}h{plan['hotel_plan_id'] or ''}"
    assert {"name", "description", "plan_type", "color"} <= set(plans[0])
    orders = [plan["display_order"] for plan in plans if plan["display_order"] is not None]
    assert orders == sorted(orders)
