"""What cannot be booked: the right refusal, pointing to its field, and nothing written."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.integration.api.bookings.stays import FAR, HOTEL, PLAN, asked, book, room_type, written
from tests.support.api import Api
from tests.support.servers import ON_PG18

ROOM = {"room_type_id": 1, "plan_key": PLAN, "number_of_people": 1}
INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "zero guests": ({"rooms": [ROOM | {"number_of_people": 0}]}, "/rooms/0/number_of_people"),
    "no room": ({"rooms": []}, "/rooms"),
    "a number for a date": ({"check_in": 20261224}, "/check_in"),
    "no such day": ({"check_in": "2027-02-30"}, "/check_in"),
    "an unknown field": ({"colour": "red"}, "/colour"),
    "a text for a number": ({"expected_total": "100"}, "/expected_total"),
    "money below zero": ({"expected_total": -1}, "/expected_total"),
    "an unknown payment timing": ({"payment_timing": "never"}, "/payment_timing"),
    "no name": ({"guest": {"name": " "}}, "/guest/name"),
    "a line break in a name": ({"guest": {"name": "a\nb"}}, "/guest/name"),
    "no address": ({"guest": {"name": "a", "email": "nobody"}}, "/guest/email"),
    "a space in the engine's id": ({"external_id": "a b"}, "/external_id"),
    "no plan key": ({"rooms": [ROOM | {"plan_key": "x"}]}, "/rooms/0/plan_key"),
    "a hold that is no uuid": ({"hold_id": "x"}, "/hold_id"),
    "a name of which nothing is to be seen": ({"guest": {"name": "\u3000\u200b"}}, "/guest/name"),
    "a name of fillers and selectors": ({"guest": {"name": "\u3164\u2800\U000e0100"}}, "/guest/name"),
    "a name of two lines": ({"guest": {"name": "山田\u2028花子"}}, "/guest/name"),
    "more names than people": (
        {"rooms": [ROOM | {"guests": [{"name": "一"}, {"name": "二"}]}]},
        "/rooms/0/guests",
    ),
}


@ON_PG18
async def test_bad_input_points_to_its_field(api: Api) -> None:
    before = await written(api)
    for fault, (wrong, pointer) in INVALID.items():
        answer = await book(api, asked(api, 1) | wrong)
        assert (answer.status, answer.code) == (422, "invalid_request"), (fault, answer.body)
        assert pointer in {one["pointer"] for one in answer.body["errors"]}, fault
    assert await written(api) == before


@ON_PG18
async def test_days_that_cannot_be_booked(api: Api) -> None:
    before = await written(api)
    for first, last, pointer in (
        (5, 5, "/check_out"),
        (5, 3, "/check_out"),
        (-1, 2, "/check_in"),
        (1, 402, "/check_out"),
        (729, 732, "/check_out"),
    ):
        days = {"check_in": str(api.day(first)), "check_out": str(api.day(last))}
        answer = await book(api, asked(api, 1) | days)
        assert (answer.status, answer.code) == (422, "invalid_request"), (days, answer.body)
        assert [one["pointer"] for one in answer.body["errors"]] == [pointer]
    assert await written(api) == before


@ON_PG18
async def test_more_nights_of_rooms_than_can_be_written_at_once(api: Api) -> None:
    before = await written(api)
    stay = asked(api, 1, nights=20, rooms=26)
    answer = await book(api, stay)
    hold = {name: stay[name] for name in ("hotel_id", "check_in", "check_out")} | {
        "rooms": [{"room_type_id": 1, "number_of_people": 1}] * 26
    }
    held = await api.post("/holds", hold, headers={"Idempotency-Key": str(uuid4())})
    for refused in (answer, held):
        assert (refused.status, refused.code) == (422, "invalid_request"), refused.body
        assert [one["pointer"] for one in refused.body["errors"]] == ["/rooms"]
    assert await written(api) == before


async def test_what_the_hotel_does_not_have_or_sell(api: Api) -> None:
    before = await written(api)
    foreign = await api.value("select min(id) from room_types where hotel_id = 2")
    largest = await api.value("select max(capacity) from rooms where hotel_id = %s and room_type_id = 1", HOTEL)
    closed = await api.value(
        "select concat(plans_global_id, 'h', id) from plans_hotel where hotel_id = %s and not is_active", HOTEL
    )
    for change, status, code in (
        ({"room_type_id": foreign}, 404, "unknown_room_type"),
        ({"number_of_people": largest + 1}, 422, "too_many_people"),
        ({"plan_key": "99h"}, 404, "unknown_plan"),
        ({"plan_key": closed}, 422, "plan_not_on_sale"),
    ):
        answer = await book(api, asked(api, 1, rooms=2) | {"rooms": [ROOM, ROOM | change]})
        assert (answer.status, answer.code) == (status, code), answer.body
        assert answer.body["errors"][0]["pointer"] == f"/rooms/1/{next(iter(change))}"
    assert await written(api) == before


async def test_a_hotel_of_others_is_as_unknown_as_none(api: Api) -> None:
    before = await written(api)
    key = await api.key(client="narrow", hotels=[2])
    answers = [
        await api.post("/bookings", asked(api, 1, hotel_id=hotel), key=key, headers={"Idempotency-Key": "k"})
        for hotel in (HOTEL, 999)
    ]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body | {"request_id": ""} == answers[1].body | {"request_id": ""}
    assert await written(api) == before


@ON_PG18
async def test_a_key_without_the_scope_or_the_header_books_nothing(api: Api) -> None:
    before = await written(api)
    reader = await api.key(client="reader", scopes=("read",))
    answer = await api.post("/bookings", asked(api, 1), key=reader, headers={"Idempotency-Key": "k"})
    assert (answer.status, answer.code) == (403, "insufficient_scope")
    answer = await api.post("/bookings", asked(api, 1), headers={"Idempotency-Key": ""})
    assert (answer.status, answer.code) == (400, "idempotency_key_missing")
    assert await written(api) == before


async def test_another_price_than_the_guest_saw_is_refused_with_the_new_one(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    body = asked(api, kind)
    before = await written(api)
    refused = await book(api, body | {"expected_total": 1})
    assert (refused.status, refused.code) == (409, "price_changed")
    assert await written(api) == before
    quote = refused.body["quote"]
    other = body | {"check_out": str(api.day(FAR + 1)), "quote": quote}
    assert (await book(api, other)).code == "quote_invalid"
    await api.rows("update plans_rates set adjustment_value = adjustment_value + 1000, updated_by = 1 returning 1")
    changed = await book(api, body | {"quote": quote})
    assert changed.code == "price_changed"
    assert changed.body["total"] > refused.body["total"]
    made = await book(api, body | {"quote": changed.body["quote"], "expected_total": changed.body["total"]})
    assert made.status == 201, made.body
    assert made.body["total"] == changed.body["total"]


async def test_guests_are_found_again_only_where_everything_agrees(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    mail = f"{uuid4()}@example.jp"

    async def client(number: int, **guest: Any) -> str:
        made = await book(api, asked(api, kind, ahead=FAR + 5 * number, guest=guest))
        assert made.status == 201, made.body
        return str(made.body["guest"]["client_id"])

    first = await client(0, name="山田 花子", email=mail, phone="090-1111")
    assert await client(1, name="山田 花子", email=mail) == first
    assert await client(2, name="山田 花子", email=mail, phone="090-1111") == first
    assert await client(3, name="山田 太郎", email=mail) != first
    assert await client(4, name="山田 花子", email=mail, phone="090-2222") != first
    assert await client(5, name="山田 花子") != await client(6, name="山田 花子")
    assert await api.rows("select name_kanji, email, phone from clients where id = %s", first) == [
        ("山田 花子", mail, "090-1111")
    ]


async def test_an_engines_user_becomes_one_client(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    first = await book(api, asked(api, kind, user_id="u-1"))
    second = await book(api, asked(api, kind, user_id="u-1", guest={"name": "別名"}))
    assert second.body["guest"]["client_id"] == first.body["guest"]["client_id"]
    linked = await api.get("/auth/user/u-1")
    assert linked.body["client_id"] == first.body["guest"]["client_id"]


async def test_several_rooms_with_their_guests_are_one_reservation(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    guests = [[{"name": "一郎"}], [{"name": "二郎"}]]
    rooms = [{**ROOM, "room_type_id": kind, "guests": named} for named in guests]
    made = await book(api, asked(api, kind, rooms=2) | {"rooms": rooms})
    assert made.status == 201, made.body
    assert made.body["number_of_people"] == 2
    assert len({night["room_id"] for night in made.body["nights"]}) == 2
    assert {guest["name"] for night in made.body["nights"] for guest in night["guests"]} == {"一郎", "二郎"}


async def test_without_guest_data_a_key_sees_no_names(api: Api) -> None:
    plain = await api.key(client="plain", scopes=("read", "book"))
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    assert made.body["guest"]["name"] == "山田 花子"
    body = asked(api, 2)
    hidden = await api.post("/bookings", body, key=plain, headers={"Idempotency-Key": "k"})
    assert hidden.status == 201, hidden.body
    assert hidden.body["guest"] is None
    assert "山田" not in hidden.raw.decode()
