"""What is due although a booking is cancelled: worked out by hand, and the same at every door."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type
from tests.integration.prices.catalogue import Catalogue, Rate, fee, percent
from tests.support.api import Answered, Api

ROOMS, PEOPLE = "h2", "2h"
"""A plan whose price is per room, and one whose is per person."""


def due(value: str, plan: str) -> Rate:
    return Rate(value, plan=plan, in_cancel_fee=True)


TABLE: list[tuple[list[Rate], str, list[int], int, int]] = [
    # The rates, people in each room; what one night costs and what is due of it.
    ([Rate("9350", plan=ROOMS)], ROOMS, [1], 9300, 0),
    ([due("9350", ROOMS)], ROOMS, [2], 9300, 9300),
    ([due("9350", PEOPLE)], PEOPLE, [2], 18600, 18600),
    ([due("6500", ROOMS), fee("1050", plan=ROOMS)], ROOMS, [2], 7500, 6500),
    ([due("6500", PEOPLE), fee("1050", plan=PEOPLE)], PEOPLE, [1, 2], 22500, 19500),
    ([Rate("3333", plan=PEOPLE), percent("12.34", plan=PEOPLE, in_cancel_fee=True)], PEOPLE, [2], 7400, 822),
    ([due("8000", PEOPLE), fee("-1030", plan=PEOPLE)], PEOPLE, [2], 13800, 13800),
    ([Rate("8000", plan=ROOMS), fee("-300", plan=ROOMS, in_cancel_fee=True)], ROOMS, [1], 7700, 0),
]


async def cancel(api: Api, booking_id: str) -> Answered:
    return await api.call("DELETE", f"/bookings/{booking_id}", headers={"Idempotency-Key": str(uuid4())})


async def priced(api: Api, plan: str, kind: int, parties: list[int]) -> dict[str, Any]:
    """A booking of two nights under a plan, as it is asked for."""
    rooms = [{"room_type_id": kind, "plan_key": plan, "number_of_people": people} for people in parties]
    return asked(api, kind) | {"rooms": rooms}


async def house(api: Api) -> tuple[Catalogue, int]:
    """Without rates, and a room type of two rooms for two people."""
    kind = await room_type(api, rooms=2)
    await api.rows(
        "update rooms set capacity = 2, updated_by = 1 where hotel_id = %s and room_type_id = %s returning id",
        HOTEL,
        kind,
    )
    await api.desk.execute("delete from plans_rates")
    return Catalogue(api.desk), kind


async def test_pricing_quote_booking_and_cancellation_say_the_same(api: Api) -> None:
    catalogue, kind = await house(api)
    for rates, plan, parties, price, owed in TABLE:
        await api.desk.execute("delete from plans_rates")
        await catalogue.add(*rates)
        body = await priced(api, plan, kind, parties)
        stay = {name: body[name] for name in ("hotel_id", "check_in", "check_out", "rooms")}
        quote = (await api.post("/quotes", stay)).body
        assert (quote["total"], quote["cancellation_fee"]) == (2 * price, 2 * owed), rates
        nights = {"from": body["check_in"], "to": body["check_out"]}
        door = await api.get(f"/hotels/{HOTEL}/pricing", **nights, plan_key=plan)
        (found,) = door.body["plans"]
        units = sum(parties) if plan == PEOPLE else len(parties)
        assert [(n["price"] * units, n["cancel_fee"] * units) for n in found["nights"]] == [(price, owed)] * 2
        made = await book(api, body | {"quote": quote["quote"]})
        assert (made.status, made.body["total"]) == (201, 2 * price), made.body
        stored = await api.rows(
            "select d.price::int, coalesce(sum(r.price) filter (where r.include_in_cancel_fee), 0)::int,"
            " coalesce(sum(r.price), 0)::int from reservation_details d"
            " left join reservation_rates r on r.hotel_id = d.hotel_id and r.reservation_details_id = d.id"
            " where d.reservation_id = %s group by d.id, d.price",
            made.body["booking_id"],
        )
        assert {row[1] for row in stored} == {owed // units}
        assert all(night == parts for night, _, parts in stored)
        cancelled = await cancel(api, made.body["booking_id"])
        assert (cancelled.body["cancellation_fee"], cancelled.body["total"]) == (2 * owed, 0)


async def test_it_follows_what_the_booking_has_become(api: Api) -> None:
    catalogue, kind = await house(api)
    await catalogue.add(due("6500", PEOPLE), fee("1050", plan=PEOPLE))
    body = await priced(api, PEOPLE, kind, [1])
    made = await book(api, body)
    more = await priced(api, PEOPLE, kind, [2])
    changed = await api.put(
        f"/bookings/{made.body['booking_id']}",
        {name: more[name] for name in ("check_in", "rooms")} | {"check_out": str(api.day(FAR + 3))},
        headers={"Idempotency-Key": str(uuid4()), "If-Match": made.headers["ETag"]},
    )
    assert (changed.status, changed.body["total"]) == (200, 3 * 2 * 7500), changed.body
    # Staff make a night cheaper than what its rates note, and let another be free to cancel.
    await api.rows(
        "update reservation_details set price = 1000, updated_by = 3 where reservation_id = %s and date = %s"
        " returning 1",
        made.body["booking_id"],
        api.day(FAR),
    )
    await api.rows(
        "update reservation_rates r set include_in_cancel_fee = false, updated_by = 3 from reservation_details d"
        " where d.id = r.reservation_details_id and d.reservation_id = %s and d.date = %s returning 1",
        made.body["booking_id"],
        api.day(FAR + 1),
    )
    cancelled = await cancel(api, made.body["booking_id"])
    assert cancelled.body["cancellation_fee"] == 2 * (1000 + 0 + 6500)
