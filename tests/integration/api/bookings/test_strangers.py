"""A key that is bound to one hotel finds nothing of another's bookings, holds, room types and plans."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.app import ROUTES
from api.request.routing import Route
from tests.integration.api.bookings.stays import HOTEL, asked, book, elsewhere, room_type
from tests.support.api import Answered, Api, same

OTHER = 2
NAMED = ("booking_id", "hold_id")
BY_ID = [route for route in ROUTES if any("{" + name + "}" in route.path for name in NAMED)]


def test_there_are_routes_to_try() -> None:
    assert {(route.method, route.path) for route in BY_ID} >= {
        ("GET", "/bookings/{booking_id}"),
        ("PUT", "/bookings/{booking_id}"),
        ("DELETE", "/bookings/{booking_id}"),
        ("DELETE", "/holds/{hold_id}"),
    }


@pytest.mark.parametrize("route", BY_ID, ids=lambda route: f"{route.method} {route.path}")
async def test_what_is_another_hotel_s_is_not_there(api: Api, route: Route) -> None:
    stay, made, held = await elsewhere(api, OTHER)
    bound = await api.key(hotels=[HOTEL])
    body = {name: stay[name] for name in ("check_in", "check_out", "rooms")} if route.method == "PUT" else None
    before = await api.rows("select id, status, updated_by from reservations order by id")

    async def call(booking: str, hold: str) -> Answered:
        path = route.path.format(booking_id=booking, hold_id=hold)
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": "*"}
        return await api.call(route.method, path, json=body, key=bound, headers=headers)

    foreign = await call(made.body["booking_id"], held.body["hold_id"])
    assert foreign.status == 404, foreign.body
    assert same(foreign, await call(str(uuid4()), str(uuid4())))
    assert await api.rows("select id, status, updated_by from reservations order by id") == before


async def test_an_answer_is_repeated_only_to_who_may_know_as_much(api: Api) -> None:
    wanted = asked(api, await room_type(api, rooms=1))
    once = {"Idempotency-Key": str(uuid4())}
    made = await api.post("/bookings", wanted, headers=once)
    assert made.status == 201, made.body
    for less, code, missing in (
        (await api.key(hotels=[OTHER]), "unknown_hotel", None),
        (await api.key(scopes=("read", "book")), "answer_withheld", ["guest-data"]),
        (await token(api, user_id="u1"), "answer_withheld", ["user_id"]),
        (await token(api, user_id="u1", scopes=["book"]), "answer_withheld", ["user_id", "guest-data"]),
    ):
        again = await api.post("/bookings", wanted, key=less, headers=once)
        assert (again.code, again.body.get("missing")) == (code, missing)
        assert made.body["guest"]["name"] not in again.raw.decode()


async def test_an_answer_is_repeated_to_who_may_know_less_of_what_it_does_not_tell(api: Api) -> None:
    wanted = asked(api, await room_type(api, rooms=2))
    once = {"Idempotency-Key": str(uuid4())}
    made = await api.post("/bookings", wanted, headers=once)
    for narrow in (await token(api, hotels=[HOTEL]), await token(api, scopes=["book", "guest-data"])):
        again = await api.post("/bookings", wanted, key=narrow, headers=once)
        assert (again.status, again.raw) == (201, made.raw)
    assert await api.value("select count(*) from booking_engine.booking_link") == 1


async def test_an_answer_about_some_hotel_is_repeated_to_who_knows_as_many(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    path, once = f"/bookings/{made.body['booking_id']}", {"Idempotency-Key": str(uuid4())}
    assert (await api.call("DELETE", path, headers=once, key=await token(api, hotels=[OTHER]))).status == 404
    assert (await api.call("DELETE", path, headers=once)).code == "idempotency_key_reused"
    once = {"Idempotency-Key": str(uuid4())}
    gone = await api.call("DELETE", path, headers=once)
    assert gone.status == 200, gone.body
    withheld = await api.call("DELETE", path, headers=once, key=await token(api, hotels=[OTHER]))
    assert (withheld.status, withheld.body["missing"]) == (403, ["hotels"])
    assert (await api.call("DELETE", path, headers=once, key=await api.key())).raw == gone.raw


async def test_a_change_is_repeated_to_who_knows_the_hotel_of_the_booking(api: Api) -> None:
    wanted = asked(api, await room_type(api, rooms=1))
    made = await book(api, wanted)
    path = f"/bookings/{made.body['booking_id']}"
    stay = {name: wanted[name] for name in ("check_in", "check_out", "rooms")}
    narrow, other = await token(api, hotels=[HOTEL]), await token(api, hotels=[OTHER])
    for method, body in (("PUT", stay), ("DELETE", None)):
        once = {"Idempotency-Key": str(uuid4()), "If-Match": "*"}
        done = await api.call(method, path, json=body, headers=once)
        assert done.status == 200, done.body
        again = await api.call(method, path, json=body, headers=once, key=narrow)
        assert (again.status, again.raw, again.headers["Idempotent-Replayed"]) == (200, done.raw, "true")
        withheld = await api.call(method, path, json=body, headers=once, key=other)
        assert (withheld.code, withheld.body["missing"]) == ("answer_withheld", ["hotels"])


async def token(api: Api, **wanted: Any) -> str:
    """A token of the default key that is good for less."""
    made = await api.post("/auth/token", wanted)
    assert made.status == 200, made.body
    return str(made.body["access_token"])


async def test_nothing_of_another_hotel_goes_into_a_booking(api: Api) -> None:
    stay, theirs, held = await elsewhere(api, OTHER)
    bound = await api.key(hotels=[HOTEL])
    kind = await room_type(api, rooms=3)
    mine = asked(api, kind)
    others_room = stay["rooms"][0] | {"plan_key": "1h1"}
    own_plan = await api.value("select 'h' || max(id) from plans_hotel where hotel_id = %s", OTHER)
    for wrong, code in (
        (stay, "unknown_hotel"),
        (mine | {"rooms": [others_room]}, "unknown_room_type"),
        (mine | {"rooms": [mine["rooms"][0] | {"plan_key": own_plan}]}, "unknown_plan"),
        (mine | {"hold_id": held.body["hold_id"]}, "unknown_hold"),
    ):
        once = {"Idempotency-Key": str(uuid4())}
        refused = await api.post("/bookings", wrong | {"external_id": str(uuid4())}, key=bound, headers=once)
        assert refused.code == code, refused.body
    made = await book(api, mine)
    change = {name: mine[name] for name in ("check_in", "check_out", "rooms")} | {"hold_id": held.body["hold_id"]}
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": "*"}
    refused = await api.put(f"/bookings/{made.body['booking_id']}", change, key=bound, headers=headers)
    assert (refused.status, refused.code) == (404, "unknown_hold")
    listed = await api.get("/bookings", key=bound)
    assert [one["booking_id"] for one in listed.body["bookings"]] == [made.body["booking_id"]]
    assert theirs.body["booking_id"] not in listed.raw.decode()
