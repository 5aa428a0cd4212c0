"""Large bookings: what may be asked for is written on a slow machine, too; what is more is refused beforehand."""

from __future__ import annotations

from typing import Any, LiteralString

import pytest

from api.bookings.asked import MOST_CANCELLED, MOST_CHANGED
from sql.pms.brevity import more
from tests.integration.api.bookings.changes import change
from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type, written
from tests.support.api import Answered, Api

STAY = ("check_in", "check_out", "rooms")
SLOWER: LiteralString = """
    create function take_time() returns trigger language plpgsql as $$
    begin
        perform pg_sleep(0.25);
        return null;
    end $$;
    create trigger zz_take_time after insert on reservation_details for each statement execute function take_time();
"""
"""A quarter of a second, the time that a small booking has, is gone before anything is done."""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every write half a minute, for how much may be asked for does not hang on how busy this machine is."""
    monkeypatch.setattr("api.writes.once.more", lambda _: 30.0)


def test_the_time_of_a_booking_grows_with_it() -> None:
    assert [more(nights) for nights in (1, 50, 150, 10_000)] == [0, 0, pytest.approx(0.3), 1]


@pytest.mark.parametrize(("nights", "rooms"), [(399, 1), (30, 5)])
async def test_a_large_booking_has_more_time_than_a_small_one(
    api: Api, monkeypatch: pytest.MonkeyPatch, nights: int, rooms: int
) -> None:
    for name in ("_EACH", "_MOST"):
        monkeypatch.setattr(f"sql.pms.brevity.{name}", 30.0)
    kind = await room_type(api, rooms=rooms)
    await api.desk.execute(SLOWER)
    answer = await book(api, asked(api, kind, nights=nights, rooms=rooms))
    assert answer.status == 201, answer.body
    assert len(answer.body["nights"]) == nights * rooms


async def long_stay(api: Api, nights: int) -> tuple[Answered, dict[str, Any]]:
    """A booking of a room, with how to ask for it as it is."""
    body = asked(api, await room_type(api, rooms=1), nights=nights)
    booking = await book(api, body)
    assert booking.status == 201, booking.body
    return booking, {name: body[name] for name in STAY}


@pytest.mark.usefixtures("patient")
async def test_a_change_is_bounded_by_what_is_written(api: Api) -> None:
    nights = MOST_CHANGED * 2 // 3 + 1
    booking, body = await long_stay(api, nights)
    before = await written(api)
    # Each night is given up, and another one added.
    elsewhere = {"check_in": str(api.day(FAR + nights)), "check_out": str(api.day(FAR + 2 * nights))}
    refused = await change(api, booking, body | elsewhere)
    assert (refused.status, refused.code) == (422, "invalid_request"), refused.body
    assert [one["pointer"] for one in refused.body["errors"]] == ["/rooms"]
    assert await written(api) == before
    less = {"check_in": str(api.day(FAR + 1)), "check_out": str(api.day(FAR + nights + 1))}
    assert (await change(api, booking, body | less)).status == 200


@pytest.mark.usefixtures("patient")
async def test_a_long_stay_gets_other_guests_and_nights(api: Api) -> None:
    booking, body = await long_stay(api, MOST_CHANGED)
    named = [room | {"guests": [{"name": "Ann Other"}]} for room in body["rooms"]]
    other = await change(api, booking, body | {"rooms": named})
    assert other.status == 200, other.body
    assert {guest["name"] for night in other.body["nights"] for guest in night["guests"]} == {"Ann Other"}
    shorter = await change(api, other, body | {"check_out": str(api.day(FAR + 1))})
    assert shorter.status == 200, shorter.body


@pytest.mark.usefixtures("patient")
async def test_no_more_is_held_than_can_be_booked_while_somebody_waits(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    before = await written(api)
    room = {"room_type_id": kind, "number_of_people": 1}
    days = {"hotel_id": HOTEL, "check_in": str(api.day(FAR)), "rooms": [room]}
    refused = await api.post("/holds", days | {"check_out": str(api.day(FAR + MOST_CHANGED + 1))})
    assert [one["pointer"] for one in refused.body["errors"]] == ["/rooms"]
    assert await written(api) == before
    held = await api.post("/holds", days | {"check_out": str(api.day(FAR + MOST_CHANGED))})
    assert held.status == 201, held.body
    stay = asked(api, kind, nights=MOST_CHANGED, hold_id=held.body["hold_id"])
    booked = await book(api, stay)
    assert booked.status == 201, booked.body


ENLARGE: LiteralString = (
    "insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people)"
    " select %s, %s, %s::date + n, (select min(id) from rooms where hotel_id = %s), 1 from generate_series(1, %s) n"
    " returning 1"
)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("added", "code"), [(MOST_CANCELLED - 2, None), (MOST_CANCELLED - 1, "needs_staff")])
async def test_a_cancellation_is_bounded_by_what_is_written(api: Api, added: int, code: str | None) -> None:
    booking = await book(api, asked(api, await room_type(api, rooms=1), nights=2))
    booking_id = booking.body["booking_id"]
    await api.rows(ENLARGE, HOTEL, booking_id, api.day(FAR), HOTEL, added)
    answer = await api.call("DELETE", f"/bookings/{booking_id}")
    assert answer.code == code, answer.body
    left = await api.value(
        "select count(*) from reservation_details where reservation_id = %s and cancelled is null", booking_id
    )
    assert left == (2 + added if code else 0)
