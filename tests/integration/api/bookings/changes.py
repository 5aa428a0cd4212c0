"""Bookings to be changed, by us and by staff."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import uuid4

from tests.integration.api.bookings.stays import HOTEL, asked, book, room_type
from tests.support.api import Answered, Api

NIGHTS = (
    "select d.date, d.id, d.room_id, d.price::int, d.number_of_people, d.billable from reservation_details d"
    " where d.reservation_id = %s and d.cancelled is null order by d.date, d.room_id"
)


STAY = ("check_in", "check_out", "rooms")


async def made(api: Api, *, free: int = 2, **more: Any) -> tuple[Answered, dict[str, Any]]:
    """A booking, and how it was asked for."""
    body = asked(api, await room_type(api, rooms=free), **more)
    answer = await book(api, body)
    assert answer.status == 201, answer.body
    return answer, {name: body[name] for name in STAY}


async def change(
    api: Api, booking: Answered, body: dict[str, Any], *, tag: str | None = None, key: str | None = None
) -> Answered:
    headers = {"Idempotency-Key": key or str(uuid4()), "If-Match": tag or booking.headers["ETag"]}
    return await api.put(f"/bookings/{booking.body['booking_id']}", body, headers=headers)


async def staff(api: Api, statement: LiteralString, *values: Any) -> None:
    async with api.desk.transaction():
        await api.desk.execute("select set_config('my_app.user_id', '3', true)")
        await api.desk.execute(statement, values)


async def pay(api: Api, booking_id: str) -> None:
    await staff(
        api,
        "insert into reservation_payments (hotel_id, reservation_id, date, payment_type_id, value, created_by,"
        " updated_by) values (%s, %s, current_date, 1, 1000, 3, 3)",
        HOTEL,
        booking_id,
    )
