"""Of several rooms: what a change keeps, what it may not give up, and what staff have done a moment before."""

from __future__ import annotations

from typing import Any, LiteralString, NamedTuple

import pytest

from tests.integration.api.bookings.changes import change, made, staff
from tests.integration.api.bookings.stays import FAR, HOTEL, PLAN, asked, book, room_type
from tests.integration.api.bookings.test_holds import STATUS, hold
from tests.support.api import Answered, Api

OTHER_PLAN = "2h"
ADDONS = (
    "insert into reservation_addons (hotel_id, reservation_detail_id, addon_name, addon_type, quantity, price,"
    " created_by, updated_by) select hotel_id, id, '朝食', 'breakfast', 1, 1500, 3, 3"
    " from reservation_details where reservation_id = %s"
)
PAYMENTS = (
    "insert into reservation_payments (hotel_id, reservation_id, date, room_id, payment_type_id, value, created_by,"
    " updated_by) select hotel_id, reservation_id, date, room_id, 1, price, 3, 3"
    " from reservation_details where reservation_id = %s"
)


class Kept(NamedTuple):
    """All rows of a booking. nights: (date, room, id) of each; rates, guests: by room."""

    nights: list[Any]
    addons: list[Any]
    payments: list[Any]
    rates: dict[int, list[Any]]
    guests: dict[int, list[Any]]


async def rows(api: Api, booking_id: str) -> Kept:
    night = "join reservation_details d on d.id = {} where d.reservation_id = %s"
    children = {}
    for table in ("reservation_rates", "reservation_clients"):
        found = await api.desk.execute(
            f"select d.room_id, r.id from {table} r {night.format('r.reservation_details_id')} order by 2".encode(),
            [booking_id],
        )
        children[table] = dict[int, list[Any]]()
        for room, child in await found.fetchall():
            children[table].setdefault(room, []).append(child)
    return Kept(
        await api.rows(
            "select date, room_id, id from reservation_details where reservation_id = %s and cancelled is null"
            " order by 1, 2",
            booking_id,
        ),
        await api.rows(
            "select a.id, a.reservation_detail_id, a.price from reservation_addons a"
            " join reservation_details d on d.id = a.reservation_detail_id where d.reservation_id = %s order by 1",
            booking_id,
        ),
        await api.rows(
            "select id, date, room_id, value from reservation_payments where reservation_id = %s order by 1",
            booking_id,
        ),
        children["reservation_rates"],
        children["reservation_clients"],
    )


async def seen(api: Api, booking: Answered) -> str:
    """The ETag, once the change stream has told."""
    await api.project()
    return (await api.get(f"/bookings/{booking.body['booking_id']}")).headers["ETag"]


async def furnished(api: Api) -> tuple[Answered, dict[str, Any]]:
    """A booking of three rooms and nights, all with breakfast and all paid."""
    booking, body = await made(api, free=4, rooms=3, nights=3)
    for rows_of in (ADDONS, PAYMENTS):
        await staff(api, rows_of, booking.body["booking_id"])
    return booking, body


async def test_another_plan_other_guests_and_a_longer_stay_leave_what_stays(api: Api) -> None:
    booking, body = await furnished(api)
    booking_id = booking.body["booking_id"]
    before = await rows(api, booking_id)
    plain, planned, named = (dict(room) for room in body["rooms"])
    planned["plan_key"] = OTHER_PLAN
    named["guests"] = [{"name": "佐藤 一郎"}]
    wanted = body | {"rooms": [plain, planned, named], "check_out": str(api.day(FAR + 4))}
    answer = await change(api, booking, wanted, tag=await seen(api, booking))
    assert answer.status == 200, answer.body
    after = await rows(api, booking_id)
    assert (len(before.nights), len(after.nights)) == (9, 12)
    assert set(before.nights) < set(after.nights)
    assert (after.addons, after.payments) == (before.addons, before.payments)
    repriced = {room for room in before.rates if not set(before.rates[room]) <= set(after.rates[room])}
    renamed = {room for room in before.guests if not set(before.guests[room]) <= set(after.guests[room])}
    assert (len(repriced), len(renamed), repriced & renamed) == (1, 1, set())
    plans = {night["room_id"]: night["plan_key"] for night in answer.body["nights"]}
    assert {room for room, plan in plans.items() if plan == OTHER_PLAN} == repriced
    shown = {night["room_id"]: night["guests"][0]["name"] for night in answer.body["nights"]}
    assert {room for room, name in shown.items() if name == "佐藤 一郎"} == renamed


@pytest.mark.parametrize(
    "less",
    [
        {"rooms": 2},
        {"check_out": FAR + 2},
        {"check_in": FAR + 1},
        {"check_in": FAR + 3, "check_out": FAR + 6},
        {"room_type_id": 2},
    ],
    ids=["a room", "the last night", "the first night", "all nights", "a type"],
)
async def test_what_was_paid_for_is_not_given_up(api: Api, less: dict[str, Any]) -> None:
    booking, body = await furnished(api)
    before = await rows(api, booking.body["booking_id"])
    wanted = body | {name: str(api.day(value)) for name, value in less.items() if name.startswith("check")}
    if "rooms" in less:
        wanted["rooms"] = body["rooms"][: less["rooms"]]
    if "room_type_id" in less:
        other = await api.value(
            "select room_type_id from rooms where hotel_id = %s and room_type_id <> %s and for_sale"
            " and not is_staff_room limit 1",
            HOTEL,
            body["rooms"][0]["room_type_id"],
        )
        wanted["rooms"] = [*body["rooms"][:2], body["rooms"][2] | {"room_type_id": other}]
    refused = await change(api, booking, wanted, tag=await seen(api, booking))
    assert (refused.status, refused.code) == (409, "needs_staff")
    assert await rows(api, booking.body["booking_id"]) == before


ONE = "(select id from reservation_details where reservation_id = %s order by date desc, room_id desc limit 1)"
A_MOMENT_BEFORE: list[LiteralString] = [
    "update reservation_details set price = price + 100, updated_by = 3 where id = " + ONE,
    "update reservation_details set plan_name = 'VIP', plans_global_id = 2, plans_hotel_id = null, updated_by = 3"
    " where id = " + ONE,
    "update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = 3 where id = "
    + ONE,
    "insert into reservation_addons (hotel_id, reservation_detail_id, addon_name, addon_type, quantity, price,"
    " created_by, updated_by) select hotel_id, id, '夕食', 'dinner', 1, 4000, 3, 3 from reservation_details"
    " where id = " + ONE,
    "update clients set name_kanji = '鈴木 次郎', updated_by = 3"
    " where id = (select reservation_client_id from reservations where id = %s)",
]


async def test_what_staff_did_a_moment_before_is_a_412_whatever_is_changed(api: Api) -> None:
    booking, body = await made(api, free=4, rooms=3, nights=2)
    booking_id = booking.body["booking_id"]
    one, *others = body["rooms"]
    wanted: list[dict[str, Any]] = [
        {"rooms": [*others, one | {"plan_key": OTHER_PLAN}]},
        {"rooms": [*others, one | {"guests": [{"name": "佐藤 一郎"}]}]},
        {"rooms": [*body["rooms"], one]},
        {"check_out": str(api.day(FAR + 3))},
        {"guest": {"name": "高橋 三郎", "email": "saburo@example.jp"}},
    ]
    tag = booking.headers["ETag"]
    for n, statement in enumerate(A_MOMENT_BEFORE):
        await staff(api, statement, booking_id)
        before = await rows(api, booking_id)
        refused = await change(api, booking, body | wanted[n], tag=tag)
        assert (refused.status, refused.code) == (412, "booking_changed"), statement
        assert await rows(api, booking_id) == before
        tag = await seen(api, booking)


GIVEN: list[LiteralString] = [
    "with c as (insert into clients (name_kanji, created_by, updated_by) values ('高橋', 3, 3) returning id)"
    " update reservations r set reservation_client_id = c.id, updated_by = 3 from c where r.id = %s",
    "update reservation_details set plans_global_id = 2, plan_name = '2', price = 5000, updated_by = 3"
    " where reservation_id = %s",
    "insert into reservation_rates (hotel_id, reservation_details_id, adjustment_type, adjustment_value, price,"
    " created_by, updated_by) select hotel_id, id, 'base_rate', 5000, 5000, 3, 3 from reservation_details"
    " where reservation_id = %s",
    "insert into reservation_clients (hotel_id, reservation_details_id, client_id, created_by, updated_by)"
    " select d.hotel_id, d.id, c.id, 3, 3 from reservation_details d"
    " cross join (select id from clients where name_kanji <> '' limit 1) c where d.reservation_id = %s",
]


@pytest.mark.parametrize("statement", GIVEN, ids=["who books", "a plan", "rates", "who stays"])
async def test_a_hold_that_staff_gave_to_a_guest_of_theirs_is_not_booked(
    api: Api, statement: LiteralString
) -> None:
    kind = await room_type(api, rooms=2)
    two = [{"room_type_id": kind, "number_of_people": 1}] * 2
    hold_id = (await hold(api, kind, rooms=two)).body["hold_id"]
    await staff(api, statement, hold_id)
    before = await rows(api, hold_id)
    refused = await book(api, asked(api, kind, rooms=2, hold_id=hold_id))
    assert (refused.status, refused.code) == (409, "hold_changed")
    assert "guest of theirs" in refused.body["detail"]
    assert await rows(api, hold_id) == before
    assert await api.value(STATUS, hold_id) == "hold"


async def test_what_staff_added_to_a_hold_stays_with_its_booking(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    two = [{"room_type_id": kind, "number_of_people": 1}] * 2
    hold_id = (await hold(api, kind, rooms=two)).body["hold_id"]
    for statement in (ADDONS, PAYMENTS):
        await staff(api, statement, hold_id)
    await staff(api, "update reservations set comment = '窓側', updated_by = 3 where id = %s", hold_id)
    before = await rows(api, hold_id)
    booked = await book(api, asked(api, kind, rooms=2, hold_id=hold_id, requests="静かに"))
    assert (booked.status, booked.body["comment"]) == (201, "窓側\n静かに"), booked.body
    after = await rows(api, hold_id)
    assert after[:3] == before[:3]
    assert {night["plan_key"] for night in booked.body["nights"]} == {PLAN}
    assert booked.body["total"] == sum(night["price"] + 1500 for night in booked.body["nights"])
