"""Whom of the PMS's clients a booking or a user may be: nobody is found by who has no business with him."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from sql.pms import clients
from sql.pms.clients import Circle, Guest
from tests.integration.api.bookings.stays import HOTEL, PLAN, asked, room_type
from tests.support.api import Answered, Api, same
from tests.support.daemon import until

OTHER = 2
ALONE = {"name": "高橋 健", "email": "takeshi@alone.example", "phone": "090-1234-0000"}


async def client(api: Api, *, hotel: int | None = None, staying: bool = False) -> str:
    """A client of the PMS like ALONE, with a reservation of his own in a hotel, or staying in another's."""
    created = await api.value(
        "insert into clients (name, name_kanji, legal_or_natural_person, email, phone, created_by)"
        " values (%s, %s, 'natural', %s, %s, 1) returning id::text",
        ALONE["name"],
        *ALONE.values(),
    )
    if staying:
        await api.rows(
            "insert into reservation_clients (hotel_id, reservation_details_id, client_id, created_by)"
            " select hotel_id, id, %s, 1 from reservation_details where hotel_id = %s limit 1 returning id",
            created,
            hotel,
        )
    elif hotel is not None:
        await api.rows(
            "insert into reservations (hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
            " status, created_by) values (%s, %s, %s, %s, 1, 'confirmed', 1) returning id",
            hotel,
            created,
            api.day(-400),
            api.day(-399),
        )
    return str(created)


def staying(booking: Answered) -> set[str]:
    """The clients who stay."""
    assert booking.status in {200, 201}, booking.body
    return {guest["client_id"] for night in booking.body["nights"] for guest in night["guests"]}


async def with_guest(api: Api, kind: int, *, key: str, ahead: int = 200, **more: Any) -> Answered:
    """Book a room in which ALONE stays."""
    room = {"room_type_id": kind, "plan_key": PLAN, "number_of_people": 1, "guests": [ALONE]}
    headers = {"Idempotency-Key": str(uuid4())}
    return await api.post("/bookings", asked(api, kind, ahead=ahead, rooms=0) | {"rooms": [room]} | more,
                          key=key, headers=headers)  # fmt: skip


async def test_a_user_s_token_brings_nobody_along_whom_it_did_not_make(api: Api) -> None:
    known = await client(api, hotel=HOTEL)
    kind = await room_type(api, rooms=3)
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    made = await with_guest(api, kind, key=token)
    assert known not in staying(made)
    body = {name: made.body[name] for name in ("check_in", "check_out")}
    room = {"room_type_id": kind, "plan_key": PLAN, "number_of_people": 1}
    path = f"/bookings/{made.body['booking_id']}"

    async def put(guest: dict[str, str]) -> Answered:
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": "*"}
        return await api.put(path, body | {"rooms": [room | {"guests": [guest]}]}, key=token, headers=headers)

    assert staying(await put(ALONE)) == staying(made), "who is noted already is the same person"
    assert (await api.get(path)).headers["ETag"] == made.headers["ETag"]
    another = ALONE | {"email": "ken@alone.example"}
    await api.rows("update clients set email = %s where id = %s returning 1", another["email"], known)
    assert known not in staying(await put(another))
    assert await api.value("select count(*) from reservation_clients where client_id = %s", known) == 0


async def test_a_key_finds_the_clients_of_its_hotels(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    bound = await api.key(client="bound", hotels=[HOTEL])
    for n, (hotel, stays) in enumerate(
        ((HOTEL, False), (HOTEL, True), (OTHER, False), (OTHER, True), (None, False))
    ):
        known = await client(api, hotel=hotel, staying=stays)
        booker = await with_guest(api, kind, key=bound, ahead=200 + 4 * n, guest=ALONE)
        guest = await with_guest(api, kind, key=bound, ahead=202 + 4 * n)
        found = hotel == HOTEL
        assert (booker.body["guest"]["client_id"] == known) is found, (hotel, stays)
        # Who has booked here meanwhile is known here, by whatever key.
        assert (known in staying(guest)) is found, (hotel, stays)
        await api.rows("update clients set email = 'gone' || id where email = %s returning 1", ALONE["email"])
        await api.rows("update clients set phone = null where phone = %s returning 1", ALONE["phone"])


async def test_a_key_of_every_hotel_finds_everybody(api: Api) -> None:
    known = await client(api)
    assert staying(await with_guest(api, await room_type(api, rooms=1), key=api.mine)) == {known}


async def link(api: Api, user: str, client_id: str, key: str) -> Answered:
    headers = {"Idempotency-Key": str(uuid4())}
    return await api.put(f"/auth/user/{user}", {"client_id": client_id}, key=key, headers=headers)


async def test_a_user_is_linked_only_to_who_is_known_to_the_key(api: Api) -> None:
    bound = await api.key(client="bound", hotels=[HOTEL])
    absent = await link(api, "u1", str(uuid4()), bound)
    assert (absent.status, absent.code) == (404, "unknown_client")
    for hotel, stays in ((OTHER, False), (OTHER, True), (None, False)):
        foreign = await link(api, "u1", await client(api, hotel=hotel, staying=stays), bound)
        assert same(foreign, absent), foreign.body
    assert (await api.get("/auth/user/u1", key=bound)).code == "unknown_user"
    for user, stays in (("u1", False), ("u2", True)):
        known = await client(api, hotel=HOTEL, staying=stays)
        linked = await link(api, user, known, bound)
        assert (linked.status, linked.body["client_id"]) == (200, known), linked.body


async def test_whom_a_client_of_ours_has_linked_all_of_its_keys_know(api: Api) -> None:
    known = await client(api, hotel=OTHER)
    bound = await api.key(hotels=[HOTEL])
    assert (await link(api, "u1", known, bound)).code == "unknown_client"
    assert (await link(api, "u1", known, api.mine)).status == 200
    assert (await link(api, "u2", known, bound)).status == 200
    assert (await api.get("/auth/user/u2", key=bound)).body["email"] == ALONE["email"]
    foreign = await api.key(client="foreign", hotels=[HOTEL])
    assert (await link(api, "u1", known, foreign)).code == "unknown_client"


async def test_a_guest_whom_somebody_else_is_making_is_waited_for(api: Api) -> None:
    body = asked(api, await room_type(api, rooms=1))
    guest = Guest(body["guest"]["name"], email=body["guest"]["email"], phone=body["guest"].get("phone"))
    async with api.desk.transaction():
        made = await clients.find_or_create(api.desk, guest, 1, Circle("", None))
        booking = asyncio.create_task(api.post("/bookings", body, headers={"Idempotency-Key": "one"}))

        async def waits() -> bool:
            return booking.done() or bool(
                await api.value("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            )

        assert await until(waits, 60)
    answer = await booking
    assert (answer.status, answer.body["guest"]["client_id"]) == (201, str(made))
    assert await api.value("select count(*) from clients where email = %s", guest.email) == 1


async def test_for_those_who_only_stay_nobody_is_waited_for(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    guest = Guest(ALONE["name"], email=ALONE["email"], phone=ALONE["phone"])
    another = {"name": "佐藤 花", "email": "hana@alone.example"}
    async with api.desk.transaction():
        made = await clients.find_or_create(api.desk, guest, 1, Circle("", None))
        booked = await with_guest(api, kind, key=api.mine, guest=another)
        assert booked.status == 201, booked.body
        room = {"room_type_id": kind, "plan_key": PLAN, "number_of_people": 1, "guests": [ALONE]}
        stay = {name: booked.body[name] for name in ("check_in", "check_out")} | {"rooms": [room]}
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": "*"}
        changed = await api.put(f"/bookings/{booked.body['booking_id']}", stay, headers=headers)
    assert changed.status == 200, changed.body
    assert str(made) not in staying(booked) | staying(changed)


async def test_nobody_is_the_client_of_blocks_or_holds(api: Api) -> None:
    for fixed in ("1" * 8, "2" * 8):
        digit = fixed[0]
        client_id = "-".join(digit * n for n in (8, 4, 4, 4, 12))
        assert await api.value("select count(*) from clients where id = %s", client_id) == 1
        assert (await link(api, "u1", client_id, api.mine)).code == "unknown_client"


async def test_booking_for_a_user_finds_again_only_who_is_known(api: Api) -> None:
    known = await client(api, hotel=OTHER)
    kind = await room_type(api, rooms=1)
    bound = await api.key(client="bound", hotels=[HOTEL])
    wanted = asked(api, kind, guest=ALONE, user_id="u1", ahead=210)
    other = await api.post("/bookings", wanted, key=bound, headers={"Idempotency-Key": "k"})
    assert other.body["guest"]["client_id"] != known
    assert (await api.get("/auth/user/u1", key=bound)).body["client_id"] == other.body["guest"]["client_id"]


async def test_all_whom_a_group_names_are_asked_for_together(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    named = [{"name": f"山田 {number}", "email": f"{uuid4()}@example.jp"} for number in range(4)]
    given = [named[:2], [named[1], named[2]], [named[3]]]
    room = {"room_type_id": kind, "plan_key": PLAN, "number_of_people": 2}
    body = asked(api, kind, rooms=0) | {"rooms": [room | {"guests": guests} for guests in given]}
    made = await api.post("/bookings", body | {"guest": named[3]}, headers={"Idempotency-Key": str(uuid4())})
    assert made.status == 201, made.body
    nights: dict[int, list[str]] = {}
    for night in made.body["nights"]:
        nights[night["room_id"]] = sorted(guest["name"] for guest in night["guests"])
    assert sorted(nights.values()) == [["山田 0", "山田 1"], ["山田 1", "山田 2"], ["山田 3"]]
    emails = [guest["email"] for guest in named]
    assert await api.value("select count(*) from clients where email = any(%s)", emails) == len(named)
