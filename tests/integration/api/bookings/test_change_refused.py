"""Changes that are refused, and change nothing."""

from __future__ import annotations

import pytest

from tests.integration.api.bookings.changes import NIGHTS, change, made, pay, staff
from tests.integration.api.bookings.stays import FAR, bare
from tests.support.api import Api


async def test_sold_out_changes_nothing(api: Api) -> None:
    booking, body = await made(api, free=1)
    before = await api.rows(NIGHTS, booking.body["booking_id"])
    refused = await change(api, booking, body | {"rooms": body["rooms"] * 2})
    assert (refused.status, refused.code) == (409, "sold_out")
    assert await api.rows(NIGHTS, booking.body["booking_id"]) == before
    assert (await change(api, booking, body)).headers["ETag"] == booking.headers["ETag"]


async def test_a_change_needs_to_say_of_what(api: Api) -> None:
    booking, body = await made(api)
    path = f"/bookings/{booking.body['booking_id']}"
    refused = await api.put(path, body, headers={"Idempotency-Key": "one"})
    assert (refused.status, refused.code) == (428, "if_match_missing")
    first = await change(api, booking, body | {"requests": "静かに"}, key="one")
    again = await change(api, booking, body | {"requests": "静かに"}, key="one")
    assert (first.status, first.body["comment"]) == (200, "静かに")
    assert again.raw == first.raw


@pytest.mark.parametrize("shorter", [True, False])
async def test_what_was_paid_for_is_given_up_by_staff_only(api: Api, shorter: bool) -> None:
    booking, body = await made(api)
    await pay(api, booking.body["booking_id"])
    answer = await change(api, booking, body | {"check_out": str(api.day(FAR + (1 if shorter else 3)))})
    assert (answer.status, answer.code) == ((409, "needs_staff") if shorter else (200, None))
    paid = "select count(*) from reservation_payments where reservation_id = %s"
    assert await api.value(paid, booking.body["booking_id"]) == 1


@pytest.mark.parametrize("status", ["checked_in", "provisory", "cancelled"])
async def test_only_a_confirmed_booking_is_changed(api: Api, status: str) -> None:
    booking, body = await made(api)
    await staff(
        api, "update reservations set status = %s, updated_by = 3 where id = %s", status, booking.body["booking_id"]
    )
    await api.project()
    tag = (await api.get(f"/bookings/{booking.body['booking_id']}")).headers["ETag"]
    code = "already_cancelled" if status == "cancelled" else "needs_staff"
    assert (await change(api, booking, body, tag=tag)).code == code


async def test_another_price_than_expected_changes_nothing(api: Api) -> None:
    booking, body = await made(api)
    longer = body | {"check_out": str(api.day(FAR + 3))}
    refused = await change(api, booking, longer | {"expected_total": booking.body["total"]})
    assert (refused.status, refused.code) == (409, "price_changed")
    assert bare((await api.get(f"/bookings/{booking.body['booking_id']}")).body) == bare(booking.body)
    answer = await change(api, booking, longer | {"expected_total": refused.body["total"]})
    assert (answer.status, answer.body["total"]) == (200, refused.body["total"])


async def test_bad_input_is_pointed_to(api: Api) -> None:
    booking, body = await made(api)
    for wrong, pointer in (
        ({"check_out": body["check_in"]}, "/check_out"),
        ({"check_in": str(api.day(-1))}, "/check_in"),
        ({"rooms": []}, "/rooms"),
        ({"rooms": [body["rooms"][0] | {"number_of_people": 30}]}, "/rooms/0/number_of_people"),
        ({"rooms": [body["rooms"][0], body["rooms"][0] | {"room_type_id": 9999}]}, "/rooms/1/room_type_id"),
        ({"rooms": [body["rooms"][0] | {"guests": [{"name": "A"}, {"name": "B"}]}]}, "/rooms/0/guests"),
    ):
        refused = await change(api, booking, body | wrong)
        assert 400 < refused.status < 500
        assert refused.body["errors"][0]["pointer"] == pointer, refused.body
    assert bare((await api.get(f"/bookings/{booking.body['booking_id']}")).body) == bare(booking.body)
