"""The calendar and stays against the PMS's plain rows."""

from __future__ import annotations

import asyncio
from datetime import date
from random import Random
from typing import Any

from api.availability.answers import StayAnswer
from api.bookings.assignment import Need
from api.bookings.selection import choose_rooms
from deploy.pms.simulator import Simulator
from sql.pms.rooms import Nights
from tests.integration.api import rooms as truth
from tests.integration.api.calendars import calendar, occupy, two_rooms
from tests.support.api import Api
from tests.support.daemon import today
from tests.support.servers import ON_PG18


async def stay(api: Api, hotel_id: int = 1, **wishes: Any) -> dict[str, Any]:
    asked = {"check_in": api.day(3), "check_out": api.day(5), "guests": 2} | wishes
    answer = await api.get(f"/availability/{hotel_id}", **asked)
    assert answer.status == 200, answer.body
    StayAnswer.model_validate_json(answer.raw)
    return dict(answer.body)


def of_type(body: dict[str, Any], type_id: int) -> dict[str, Any]:
    (found,) = (one for one in body["room_types"] if one["room_type_id"] == type_id)
    return dict(found)


async def test_rooms_free_alternately_are_in_the_calendar_but_make_no_stay(api: Api) -> None:
    type_id, (one, other) = await two_rooms(api)
    first = api.day(100)
    await occupy(api, one, first)
    await occupy(api, other, api.day(101))
    await api.project()
    shown = await calendar(api, **{"from": first, "to": api.day(102), "room_type_id": type_id})
    assert [r["available"] for r in shown["room_types"][0]["ranges"]] == [1]
    found = of_type(await stay(api, check_in=first, check_out=api.day(102)), type_id)
    assert (found["free"], found["bookable"]) == (0, False)
    assert found["reasons"] == [{"code": "no_room_for_all_nights", "nights": []}]
    short = of_type(await stay(api, check_in=first, check_out=api.day(101)), type_id)
    assert (short["free"], short["bookable"]) == (1, True)


async def test_a_stay_says_why_a_room_type_cannot_be_had(api: Api) -> None:
    type_id, (one, other) = await two_rooms(api, (2, 3))
    nights: dict[str, Any] = {"check_in": api.day(100), "check_out": api.day(102)}

    async def why(**wishes: Any) -> list[tuple[str, list[str]]]:
        reasons = of_type(await stay(api, **nights, **wishes), type_id)["reasons"]
        return [(reason["code"], reason["nights"]) for reason in reasons]

    assert await why(guests=3) == []
    assert await why(guests=4) == [("too_small", [])]
    assert await why(guests=5, rooms=2) == []
    assert await why(guests=6, rooms=2) == [("not_enough_rooms", [])]
    await occupy(api, other, api.day(101))
    assert await why(guests=3) == [("not_enough_rooms", [])]
    await occupy(api, one, api.day(101))
    assert await why(guests=1) == [("sold_out", [str(api.day(101))])]
    await api.desk.execute("update rooms set for_sale = false where id = %s", [one])
    await api.desk.execute("update rooms set is_staff_room = true where id = %s", [other])
    assert await why(guests=1) == [("no_rooms", [])]


async def test_guests_are_spread_over_several_room_types_where_one_does_not_suffice(api: Api) -> None:
    found = await stay(api, check_in=api.day(200), check_out=api.day(201), guests=11, rooms=3)
    assert found["parties"] == [4, 4, 3]
    assert found["bookable"]
    (type_id,) = {party["room_type_id"] for party in found["suggestion"]}
    assert of_type(found, type_id)["bookable"]
    large = await stay(api, check_in=api.day(200), check_out=api.day(201), guests=10 * 4 + 4, rooms=10)
    assert large["parties"] == [5] * 4 + [4] * 6
    hotel = await truth.rooms(api, 1)
    assert large["bookable"] == (sum(room.capacity >= 5 for room in hotel) >= 4)


async def test_stays_calendar_and_prices_are_the_pms_s_after_a_hundred_flows(api: Api) -> None:
    await Simulator(api.database.dsn, seed=11, today=today()).run(actions=100)
    await api.project()
    dice = Random(11)
    for hotel_id in (1, 2):
        found = await truth.rooms(api, hotel_id)
        shown = await api.get(f"/availability/{hotel_id}", **{"from": api.day(0), "to": api.day(40)})
        expected = truth.calendar(found, api.day(0), api.day(40))
        said = truth.answered(shown.body)
        assert {key: said[key] for key in expected} == expected
        assert all(numbers == (0, 0) for key, numbers in said.items() if key not in expected)
        for _ in range(15):
            start, length, party = dice.randrange(30), dice.choice((1, 2, 3, 7)), dice.randint(1, 4)
            first, until = api.day(start), api.day(start + length)
            body = await stay(api, hotel_id, check_in=first, check_out=until, guests=party)
            for one in body["room_types"]:
                free = [r for r in found if r.type_id == one["room_type_id"] and r.free(first, until)]
                assert one["free"] == len(free)
                assert one["fitting"] == sum(room.capacity >= party for room in free)
                assert one["bookable"] == (one["fitting"] > 0)
            await check_prices(api, hotel_id, body, party)


async def test_a_booking_is_given_rooms_exactly_where_a_stay_offers_them(api: Api) -> None:
    for ahead, length, party, number in ((0, 1, 1, 1), (2, 3, 2, 4), (5, 2, 3, 3), (8, 7, 2, 1), (40, 5, 5, 2)):
        nights = Nights(1, api.day(ahead), api.day(ahead + length))
        found = await stay(
            api, check_in=nights.check_in, check_out=nights.check_out, guests=party * number, rooms=number
        )
        for one in found["room_types"]:
            async with api.desk.transaction(force_rollback=True):
                given = await choose_rooms(api.desk, nights, [Need(one["room_type_id"], party)] * number)
            assert (given is not None) == one["bookable"], (nights, one)
        async with api.desk.transaction(force_rollback=True):
            needs = [Need(room["room_type_id"], room["number_of_people"]) for room in found["suggestion"]]
            given = await choose_rooms(api.desk, nights, needs)
        assert given is not None
        assert len(given) == len(found["suggestion"])


async def check_prices(api: Api, hotel_id: int, body: dict[str, Any], party: int) -> None:
    """Compare a stay's prices with the reference, and with the other door."""
    door = await api.get(
        f"/hotels/{hotel_id}/pricing", **{"from": body["check_in"], "to": body["check_out"], "guests": party}
    )
    priced = {plan["plan_key"]: plan for plan in door.body["plans"]}
    for plan in body["plans"]:
        if not plan["on_sale"]:
            assert plan["nights"] == []
            assert plan["reasons"]
            continue
        times = party if plan["plan_type"] == "per_person" else 1
        assert plan["total"] == sum(night["price"] for night in plan["nights"]) * times
        assert plan["total"] == plan["net_total"] + plan["tax_total"]
        for night, same in zip(plan["nights"], priced[plan["plan_key"]]["nights"], strict=True):
            day = date.fromisoformat(night["date"])
            assert night["price"] == await truth.nightly(api, hotel_id, plan["plan_key"], day)
            assert {name: same[name] for name in night} == night


async def test_a_plan_that_is_not_sold_for_a_night_is_not_sold_for_the_stay(api: Api) -> None:
    plan_id = await api.value("select id from plans_hotel where hotel_id = 1 and available_until is not null")
    await api.desk.execute("update plans_hotel set available_until = %s where id = %s", [api.day(3), plan_id])
    (plan,) = (plan for plan in (await stay(api))["plans"] if plan["plan_key"] == f"h{plan_id}")
    assert (plan["on_sale"], plan["total"]) == (False, None)
    assert plan["reasons"] == [{"code": "not_on_sale", "nights": [str(api.day(4))]}]
    await api.desk.execute("delete from plans_rates where plans_hotel_id = %s and date_end is null", [plan_id])
    await api.desk.execute("update plans_rates set date_end = %s where plans_hotel_id = %s", [api.day(3), plan_id])
    (plan,) = (plan for plan in (await stay(api))["plans"] if plan["plan_key"] == f"h{plan_id}")
    assert plan["reasons"] == [{"code": "no_price", "nights": [str(api.day(4))]}]


@ON_PG18
async def test_many_who_ask_at_once_get_the_same(api: Api) -> None:
    asked = {"from": api.day(0), "to": api.day(30)}
    answers = await asyncio.gather(*(api.get("/availability/1", **asked) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.headers["ETag"] for answer in answers}) == 1


@ON_PG18
async def test_what_cannot_be_asked_is_pointed_to(api: Api) -> None:
    stay = {"check_in": api.day(1), "check_out": api.day(2), "guests": 1}
    month = {"from": api.day(0), "to": api.day(30)}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "/from"),
        ({"from": api.day(0)}, "/to"),
        (month | {"to": api.day(0)}, "/to"),
        (month | {"to": api.day(401)}, "/to"),
        (month | {"from": api.day(-1)}, "/from"),
        (month | {"from": "tomorrow"}, "/from"),
        (month | {"from": "1795392000"}, "/from"),
        (month | {"guests": 2}, "/from"),
        (month | {"room_type_id": "x"}, "/room_type_id"),
        (month | {"room_type_id": 2**31}, "/room_type_id"),
        (month | {"colour": "red"}, "/colour"),
        (stay | {"check_out": api.day(1)}, "/check_out"),
        (stay | {"check_out": api.day(402)}, "/check_out"),
        (stay | {"check_in": api.day(-1)}, "/check_in"),
        (stay | {"guests": 0}, "/guests"),
        (stay | {"guests": 1.5}, "/guests"),
        (stay | {"rooms": 2}, "/rooms"),
        (stay | {"room_type_id": 1}, "/room_type_id"),
    ]
    for asked, pointer in wrong:
        answer = await api.get("/availability/1", **asked)
        assert (answer.status, answer.code) == (422, "invalid_request"), (asked, answer.body)
        assert pointer in {error["pointer"] for error in answer.body["errors"]}, (asked, answer.body)
    gone = await api.get("/availability/1", **month, room_type_id=999_999)
    assert (gone.status, gone.code) == (404, "unknown_room_type")


@ON_PG18
async def test_another_s_hotel_is_as_unknown_as_none(api: Api) -> None:
    key = await api.key(hotels=(2,))
    asked = {"from": api.day(0), "to": api.day(1)}
    foreign = await api.get("/availability/1", key=key, **asked)
    none = await api.get("/availability/99", key=key, **asked)
    assert (foreign.status, none.status, foreign.code) == (404, 404, "unknown_hotel")
    assert {**foreign.body, "request_id": 0} == {**none.body, "request_id": 0}
    assert (await api.get("/hotels/1/pricing", key=key, **asked)).status == 404
    assert (await api.get("/availability/2", key=key, **asked)).status == 200
