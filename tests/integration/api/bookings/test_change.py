"""Changing a booking: what differs is written, the rest stays, and staff's own changes are never lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.bookings.changes import NIGHTS, change, made, staff
from tests.integration.api.bookings.stays import FAR, HOTEL, PLAN, asked, bare, book
from tests.integration.api.rooms import nightly
from tests.support.api import Answered, Api

RATES = (
    "select r.id from reservation_rates r join reservation_details d on d.id = r.reservation_details_id"
    " where d.reservation_id = %s and d.date = any(%s) order by 1"
)


async def test_nights_that_stay_keep_everything(api: Api) -> None:
    booking, body = await made(api, free=1, nights=3)
    booking_id = booking.body["booking_id"]
    before = await api.rows(NIGHTS, booking_id)
    await staff(
        api,
        "insert into reservation_addons (hotel_id, reservation_detail_id, addon_name, addon_type, quantity, price,"
        " created_by, updated_by) values (%s, %s, '朝食', 'breakfast', 1, 1500, 3, 3)",
        HOTEL,
        before[1][1],
    )
    await staff(api, "update reservation_details set price = 7, updated_by = 3 where id = %s", before[2][1])
    await api.project()
    kept_days = [before[1][0], before[2][0]]
    rates = await api.rows(RATES, booking_id, kept_days)
    tag = (await api.get(f"/bookings/{booking_id}")).headers["ETag"]
    later = body | {"check_in": str(api.day(FAR + 1)), "check_out": str(api.day(FAR + 4))}
    answer = await change(api, booking, later, tag=tag)
    assert answer.status == 200, answer.body
    after = await api.rows(NIGHTS, booking_id)
    assert after[:2] == [before[1], (*before[2][:3], 7, *before[2][4:])]
    price = await nightly(api, HOTEL, PLAN, api.day(FAR + 3))
    assert after[2][0] == api.day(FAR + 3)
    assert after[2][2:] == (before[0][2], price, 1, True)
    assert await api.rows(RATES, booking_id, kept_days) == rates
    assert len(await api.rows(RATES, booking_id, [api.day(FAR + 3)])) > 0
    assert answer.body["nights"][0]["addons"][0]["name"] == "朝食"
    assert (answer.body["check_in"], answer.body["check_out"]) == (later["check_in"], later["check_out"])
    assert answer.body["total"] == before[1][3] + 1500 + 7 + price
    stored = "select version from booking_engine.document where kind = 'booking' and id = %s"
    await api.project()
    assert await api.value(stored, booking_id) == answer.body["version"]
    assert answer.headers["ETag"] == f'"{answer.body["version"]}"'


async def test_another_if_match_is_another_request(api: Api) -> None:
    booking, body = await made(api)
    longer, key = body | {"check_out": str(api.day(FAR + 3))}, str(uuid4())
    for _ in range(2):
        assert (await change(api, booking, longer, tag='"1"', key=key)).code == "booking_changed"
    assert (await change(api, booking, longer, key=key)).code == "idempotency_key_reused"
    assert (await change(api, booking, longer)).status == 200


async def test_what_is_as_it_was_makes_no_new_version(api: Api) -> None:
    booking, body = await made(api)
    answer = await change(api, booking, body)
    assert (answer.status, answer.headers["ETag"]) == (200, booking.headers["ETag"])
    assert bare(answer.body) == bare(booking.body)


async def test_a_guest_moves_only_where_his_room_is_taken(api: Api) -> None:
    booking, body = await made(api, free=2)
    room = booking.body["nights"][0]["room_id"]
    kind = booking.body["nights"][0]["room_type_id"]
    before = await api.rows(NIGHTS, booking.body["booking_id"])
    other = await book(api, asked(api, kind, ahead=FAR + 2))
    longer = body | {"check_out": str(api.day(FAR + 4))}
    assert other.body["nights"][0]["room_id"] == room
    answer = await change(api, booking, longer)
    assert answer.status == 200, answer.body
    after = await api.rows(NIGHTS, booking.body["booking_id"])
    assert len({night[2] for night in after} - {room}) == 1
    assert {night[2] for night in after} != {room}
    assert [night[1] for night in after[:2]] == [night[1] for night in before]


@pytest.mark.parametrize("rooms", [1, 2], ids=["one more room", "one room taken"])
async def test_no_room_is_given_twice_where_all_days_are_new(api: Api, rooms: int) -> None:
    booking, body = await made(api, free=3, rooms=rooms)
    kind = booking.body["nights"][0]["room_type_id"]
    if rooms == 2:
        theirs = await book(api, asked(api, kind, ahead=FAR + 10))
        assert theirs.body["nights"][0]["room_id"] in {night["room_id"] for night in booking.body["nights"]}
    days = {"check_in": str(api.day(FAR + 10)), "check_out": str(api.day(FAR + 12))}
    answer = await change(api, booking, body | days | {"rooms": body["rooms"][:1] * 2})
    assert answer.status == 200, answer.body
    assert len({night["room_id"] for night in answer.body["nights"]}) == 2
    assert [night["date"] for night in answer.body["nights"]] == [str(api.day(FAR + n)) for n in (10, 10, 11, 11)]


async def test_rooms_are_added_and_given_back(api: Api) -> None:
    booking, body = await made(api, free=2)
    before = await api.rows(NIGHTS, booking.body["booking_id"])
    two = await change(api, booking, body | {"rooms": body["rooms"] * 2})
    assert two.status == 200, two.body
    assert two.body["number_of_people"] == 2
    assert two.body["total"] == 2 * booking.body["total"]
    assert len({night["room_id"] for night in two.body["nights"]}) == 2
    one = await change(api, two, body)
    assert one.body["total"] == booking.body["total"]
    assert len(await api.rows(NIGHTS, booking.body["booking_id"])) == len(before)
    assert (await book(api, asked(api, booking.body["nights"][0]["room_type_id"]))).status == 201


async def test_a_change_by_staff_a_moment_before_is_not_lost(api: Api) -> None:
    booking, body = await made(api)
    longer = body | {"check_out": str(api.day(FAR + 3))}
    booking_id = booking.body["booking_id"]
    await staff(
        api, "update reservation_details set price = 100, updated_by = 3 where reservation_id = %s", booking_id
    )
    refused = await change(api, booking, longer)
    assert (refused.status, refused.code) == (412, "booking_changed")
    await api.project()
    assert (await change(api, booking, longer)).code == "booking_changed"
    tag = (await api.get(f"/bookings/{booking_id}")).headers["ETag"]
    answer = await change(api, booking, longer, tag=tag)
    assert [night["price"] for night in answer.body["nights"]][:2] == [100, 100]


async def test_of_many_changes_at_once_one_is_made(api: Api) -> None:
    booking, body = await made(api)
    wanted = [body | {"check_out": str(api.day(FAR + 3 + n))} for n in range(6)]
    answers = await asyncio.gather(*(change(api, booking, one) for one in wanted))
    assert Counter(answer.code for answer in answers) == {None: 1, "booking_changed": 5}


async def test_who_stays_and_who_books(api: Api) -> None:
    booking, body = await made(api)
    before = {guest["client_id"] for night in booking.body["nights"] for guest in night["guests"]}
    assert before == {booking.body["guest"]["client_id"]}
    named = [body["rooms"][0] | {"guests": [{"name": "佐藤 一郎"}]}]
    first = await change(api, booking, body | {"rooms": named})
    assert {guest["name"] for night in first.body["nights"] for guest in night["guests"]} == {"佐藤 一郎"}
    again = await change(api, first, body | {"rooms": named})
    assert again.headers["ETag"] == first.headers["ETag"]
    kept = await change(api, first, body)
    assert kept.headers["ETag"] == first.headers["ETag"]
    guest = {"name": "鈴木 次郎", "email": "jiro@example.jp"}
    other = await change(api, first, body | {"guest": guest})
    assert other.body["guest"]["name"] == "鈴木 次郎"
    assert {one["name"] for night in other.body["nights"] for one in night["guests"]} == {"佐藤 一郎"}
    assert (await change(api, other, body | {"guest": guest})).headers["ETag"] == other.headers["ETag"]


async def test_another_plan_costs_what_it_costs(api: Api) -> None:
    booking, body = await made(api)
    before = await api.rows(NIGHTS, booking.body["booking_id"])
    stay = {name: body[name] for name in ("check_in", "check_out")}
    unknown = body | {"rooms": [body["rooms"][0] | {"plan_key": "999999h"}]}
    refused = await change(api, booking, unknown)
    assert (refused.code, refused.body["errors"][0]["pointer"]) == ("unknown_plan", "/rooms/0/plan_key")
    plans = [plan["plan_key"] for plan in (await api.get(f"/plans/{HOTEL}")).body["plans"]]
    for plan in plans:
        if plan == PLAN:
            continue
        quote = await api.post(
            "/quotes", {"hotel_id": HOTEL, **stay, "rooms": [body["rooms"][0] | {"plan_key": plan}]}
        )
        answer = await change(api, booking, body | {"rooms": [body["rooms"][0] | {"plan_key": plan}]})
        if quote.code == "plan_not_on_sale":
            assert answer.code == "plan_not_on_sale"
            continue
        assert answer.status == 200, answer.body
        assert answer.body["total"] == quote.body["total"]
        assert {night["plan_key"] for night in answer.body["nights"]} == {plan}
        after = await api.rows(NIGHTS, booking.body["booking_id"])
        assert [night[1:3] for night in after] == [night[1:3] for night in before]
        break
    else:
        pytest.fail("the seed sells one plan only")


async def test_a_user_changes_his_own_booking_but_not_who_books(api: Api) -> None:
    booking, body = await made(api, user_id="u1")
    path = f"/bookings/{booking.body['booking_id']}"
    mine, other = [(await api.post("/auth/token", {"user_id": user})).body["access_token"] for user in ("u1", "u2")]
    longer = body | {"check_out": str(api.day(FAR + 3))}

    async def put(token: str, wanted: dict[str, Any]) -> Answered:
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": booking.headers["ETag"]}
        return await api.put(path, wanted, headers=headers, key=token)

    assert (await put(other, longer)).code == "unknown_booking"
    refused = await put(mine, longer | {"guest": {"name": "鈴木 次郎", "email": "jiro@example.jp"}})
    assert (refused.code, refused.body["errors"][0]["pointer"]) == ("invalid_request", "/guest")
    assert (await put(mine, longer)).status == 200


async def test_a_quote_binds_a_change_as_it_does_a_booking(api: Api) -> None:
    booking, body = await made(api, nights=2)
    longer = body | {"check_out": str(api.day(FAR + 3))}
    quote = (await api.post("/quotes", {"hotel_id": HOTEL, **longer})).body
    other = (await api.post("/quotes", {"hotel_id": HOTEL, **body})).body
    for wrong in (other["quote"], "none"):
        refused = await change(api, booking, longer | {"quote": wrong})
        assert (refused.status, refused.code) == (422, "quote_invalid")
    await api.rows("update plans_rates set adjustment_value = adjustment_value + 500 returning 1")
    dearer = await change(api, booking, longer | {"quote": quote["quote"]})
    assert (dearer.status, dearer.code) == (409, "price_changed")
    await api.rows("update plans_rates set adjustment_value = adjustment_value - 500 returning 1")
    answer = await change(api, booking, longer | {"quote": quote["quote"]})
    assert (answer.status, answer.body["total"]) == (200, quote["total"])


async def test_a_hold_s_rooms_are_there_for_a_change(api: Api) -> None:
    booking, body = await made(api, free=2)
    kind = body["rooms"][0]["room_type_id"]
    stay = {name: body[name] for name in ("check_in", "check_out")} | {"hotel_id": HOTEL}
    rooms = [{"room_type_id": kind, "number_of_people": 1}]
    held = await api.post("/holds", stay | {"rooms": rooms}, headers={"Idempotency-Key": str(uuid4())})
    assert held.status == 201, held.body
    hold_id = held.body["hold_id"]
    two = body | {"rooms": body["rooms"] * 2}
    assert (await change(api, booking, two)).code == "sold_out"
    assert (await change(api, booking, two | {"hold_id": str(uuid4())})).code == "unknown_hold"
    answer = await change(api, booking, two | {"hold_id": hold_id})
    assert answer.status == 200, answer.body
    assert len({night["room_id"] for night in answer.body["nights"]}) == 2
    assert await api.rows("select 1 from reservations where id = %s", hold_id) == []
    assert await api.rows("select 1 from booking_engine.hold") == []
    tombstone = (
        "select body is null and version > 0 from booking_engine.document where kind = 'booking' and id = %s"
    )
    assert await api.value(tombstone, hold_id) is True


async def test_a_hold_that_staff_have_changed_is_not_spent(api: Api) -> None:
    booking, body = await made(api, free=2)
    kind = body["rooms"][0]["room_type_id"]
    stay = {name: body[name] for name in ("check_in", "check_out")} | {"hotel_id": HOTEL}
    rooms = [{"room_type_id": kind, "number_of_people": 1}]
    held = await api.post("/holds", stay | {"rooms": rooms}, headers={"Idempotency-Key": str(uuid4())})
    hold_id = held.body["hold_id"]
    await staff(api, "update reservations set comment = 'VIP', updated_by = 3 where id = %s", hold_id)
    refused = await change(api, booking, body | {"rooms": body["rooms"] * 2, "hold_id": hold_id})
    assert (refused.status, refused.code) == (409, "hold_changed")
    assert await api.value("select comment from reservations where id = %s", hold_id) == "VIP"
