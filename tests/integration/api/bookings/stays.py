"""Stays to book in the tests' hotel, and looking at what became of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.support.api import Answered, Api

HOTEL = 1
PLAN = "1h1"
FAR = 200
"""Days ahead in which the seed has no stays."""


def asked(
    api: Api, room_type: int, *, ahead: int = FAR, nights: int = 2, rooms: int = 1, **more: Any
) -> dict[str, Any]:
    """A booking of rooms of a type, for one person each."""
    return {
        "hotel_id": HOTEL,
        "external_id": f"E-{uuid4()}",
        "check_in": str(api.day(ahead)),
        "check_out": str(api.day(ahead + nights)),
        "rooms": [{"room_type_id": room_type, "plan_key": PLAN, "number_of_people": 1}] * rooms,
        "guest": {"name": "山田 花子", "email": f"{uuid4()}@example.jp"},
    } | more


async def book(api: Api, body: Any, *, key: str | None = None, **wishes: Any) -> Answered:
    """POST a booking with an Idempotency-Key of its own, or the given one."""
    return await api.post("/bookings", body, headers={"Idempotency-Key": key or str(uuid4())}, **wishes)


async def elsewhere(api: Api, hotel_id: int) -> tuple[dict[str, Any], Answered, Answered]:
    """A stay at another hotel as it is asked for, a booking of it, and a hold, both of the same client."""
    kind = await api.value("select min(id) from room_types where hotel_id = %s", hotel_id)
    room = {"room_type_id": kind, "number_of_people": 1}
    stay = asked(api, kind, hotel_id=hotel_id) | {"rooms": [room | {"plan_key": "2h"}]}
    made = await book(api, stay)
    assert made.status == 201, made.body
    hold = {name: stay[name] for name in ("hotel_id", "check_in", "check_out")}
    held = await api.post("/holds", hold | {"rooms": [room]})
    assert held.status == 201, held.body
    return stay, made, held


def bare(body: dict[str, Any]) -> dict[str, Any]:
    """What an answer says, without as of when it is."""
    return {name: value for name, value in body.items() if name not in {"as_of", "stale"}}


async def room_type(api: Api, *, rooms: int) -> int:
    """A room type of which only so many rooms can be sold; the others are taken out of order."""
    chosen = await api.value(
        "select room_type_id from rooms where hotel_id = %s and for_sale and not is_staff_room"
        " group by 1 having count(*) >= %s order by count(*), 1 limit 1",
        HOTEL,
        rooms,
    )
    await api.rows(
        "update rooms set for_sale = false, updated_by = 1 where hotel_id = %s and room_type_id = %s and id not in"
        " (select id from rooms where hotel_id = %s and room_type_id = %s and for_sale and not is_staff_room"
        " order by id limit %s) returning id",
        HOTEL,
        chosen,
        HOTEL,
        chosen,
        rooms,
    )
    return int(chosen)


async def written(api: Api) -> tuple[int, ...]:
    """How many rows there are of what a booking writes."""
    (counts,) = await api.rows(
        "select (select count(*) from reservations), (select count(*) from reservation_details),"
        " (select count(*) from clients), (select count(*) from reservation_rates),"
        " (select count(*) from reservation_clients), (select count(*) from booking_engine.booking_link),"
        " (select count(*) from booking_engine.document where kind = 'booking')"
    )
    return counts
