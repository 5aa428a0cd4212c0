"""Cancelling a booking, as the PMS has it afterwards, and when that is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.bookings.stays import HOTEL, asked, bare, book, room_type
from tests.support.api import Answered, Api
from tests.support.daemon import today

NIGHTS = (
    "select id, room_id, date, price::int, cancelled, billable from reservation_details"
    " where reservation_id = %s order by date, room_id"
)
DOCUMENT = "select version, body ->> 'status' from booking_engine.document where kind = 'booking' and id = %s"


async def cancel(api: Api, booking_id: str, *, key: str | None = None, **more: Any) -> Answered:
    headers = {"Idempotency-Key": key or str(uuid4())} | more.pop("headers", {})
    return await api.call("DELETE", f"/bookings/{booking_id}", headers=headers, **more)


async def booked(api: Api, *, rooms: int = 1) -> Answered:
    made = await book(api, asked(api, await room_type(api, rooms=rooms), rooms=rooms))
    assert made.status == 201, made.body
    return made


async def test_a_cancelled_booking_is_in_the_pms_as_staff_would_have_it(api: Api) -> None:
    made = await booked(api, rooms=2)
    booking_id = made.body["booking_id"]
    await api.rows(
        "update reservation_rates set include_in_cancel_fee = true, updated_by = 3 where reservation_details_id in"
        " (select id from reservation_details where reservation_id = %s and date = %s) returning 1",
        booking_id,
        made.body["nights"][0]["date"],
    )
    due = await api.value(
        "select sum(r.price)::int from reservation_rates r join reservation_details d"
        " on d.id = r.reservation_details_id where d.reservation_id = %s and r.include_in_cancel_fee",
        booking_id,
    )
    before = await api.rows(NIGHTS, booking_id)
    night_id = before[0][0]
    await api.rows(
        "insert into reservation_parking (hotel_id, reservation_details_id, date) values (%s, %s, %s) returning 1",
        HOTEL,
        night_id,
        before[0][2],
    )
    answer = await cancel(api, booking_id)
    assert answer.status == 200, answer.body
    assert answer.body["cancellation_fee"] == due > 0
    assert (answer.body["status"], answer.body["total"]) == ("cancelled", 0)
    assert {night["cancelled"] for night in answer.body["nights"]} == {True}
    after = await api.rows(NIGHTS, booking_id)
    assert [night[:4] for night in after] == [night[:4] for night in before]
    assert len({night[4] for night in after} - {None}) == len(after) == 4
    assert {night[5] for night in after} == {False}
    assert await api.value("select status from reservations where id = %s", booking_id) == "cancelled"
    parked = "select cancelled is not null from reservation_parking where reservation_details_id = %s"
    assert await api.value(parked, night_id) is True
    again = await book(api, asked(api, made.body["nights"][0]["room_type_id"], rooms=2))
    assert again.status == 201, again.body


async def test_it_is_told_once_and_read_as_answered(api: Api) -> None:
    made = await booked(api)
    booking_id = made.body["booking_id"]
    answer = await cancel(api, booking_id)
    stored = await api.rows(DOCUMENT, booking_id)
    assert stored == [(answer.body["version"], "cancelled")]
    assert answer.headers["ETag"] == f'"{answer.body["version"]}"' != made.headers["ETag"]
    await api.project()
    assert await api.rows(DOCUMENT, booking_id) == stored
    read = await api.get(f"/bookings/{booking_id}")
    assert bare(read.body) | {"cancellation_fee": answer.body["cancellation_fee"]} == bare(answer.body)
    status = "select status, error, retries from booking_engine.sync_status where reservation_id = %s"
    assert await api.rows(status, booking_id) == [("synced", None, 0)]


async def test_the_same_key_gives_the_same_answer_and_another_finds_it_cancelled(api: Api) -> None:
    booking_id = (await booked(api)).body["booking_id"]
    answers = await asyncio.gather(*(cancel(api, booking_id) for _ in range(10)))
    assert Counter(answer.code for answer in answers) == {None: 1, "already_cancelled": 9}
    marks = await api.rows(NIGHTS, booking_id)
    other = (await booked(api)).body["booking_id"]
    first, second = await cancel(api, other, key="one"), await cancel(api, other, key="one")
    assert (second.status, second.raw) == (200, first.raw)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert await api.rows(NIGHTS, booking_id) == marks


async def test_what_changed_since_it_was_read_is_not_cancelled(api: Api) -> None:
    made = await booked(api)
    booking_id, tag = made.body["booking_id"], made.headers["ETag"]
    await api.rows("update reservations set comment = 'VIP', updated_by = 3 where id = %s returning 1", booking_id)
    for old in (tag, f"W/{tag}", '"1"', "1"):
        refused = await cancel(api, booking_id, headers={"If-Match": old})
        assert (refused.status, refused.code) == (412, "booking_changed")
    await api.project()
    assert (await cancel(api, booking_id, headers={"If-Match": tag})).code == "booking_changed"
    now = (await api.get(f"/bookings/{booking_id}")).headers["ETag"]
    assert (await cancel(api, booking_id, headers={"If-Match": f'"1", {now}'})).status == 200


async def test_a_booking_that_staff_deleted_is_unknown_before_the_stream_says_so(api: Api) -> None:
    booking_id = (await booked(api)).body["booking_id"]
    await api.rows("delete from reservations where id = %s returning 1", booking_id)
    assert (await cancel(api, booking_id)).code == "unknown_booking"


async def test_only_its_own_client_cancels_it(api: Api) -> None:
    booking_id = (await booked(api)).body["booking_id"]
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    for key in (await api.key(client="another"), await api.key(hotels=[2]), token):
        assert (
            await cancel(api, booking_id, key=str(uuid4()), headers={"Authorization": f"Bearer {key}"})
        ).code == ("unknown_booking")
    reader = await api.key(scopes=("read",))
    refused = await cancel(api, booking_id, headers={"Authorization": f"Bearer {reader}"})
    assert refused.code == "insufficient_scope"
    assert await api.value("select status from reservations where id = %s", booking_id) == "confirmed"


@pytest.mark.parametrize("status", ["checked_in", "checked_out"])
async def test_who_has_checked_in_goes_to_the_desk(api: Api, status: str) -> None:
    booking_id = (await booked(api)).body["booking_id"]
    await api.rows(
        "update reservations set status = %s, updated_by = 3 where id = %s returning 1", status, booking_id
    )
    refused = await cancel(api, booking_id)
    assert (refused.status, refused.code) == (409, "needs_staff")
    assert await api.value("select status from reservations where id = %s", booking_id) == status


async def test_who_should_have_come_yesterday_goes_to_the_desk(api: Api) -> None:
    booking_id = (await booked(api)).body["booking_id"]
    await api.rows(
        "update reservations set check_in = %s, updated_by = 3 where id = %s returning 1",
        today() - timedelta(days=1),
        booking_id,
    )
    assert (await cancel(api, booking_id)).code == "needs_staff"
