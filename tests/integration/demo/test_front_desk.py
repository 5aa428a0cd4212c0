"""The front desk books in a real PMS, as its staff do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from deploy.demo.front_desk import FrontDesk, NoRoomError, Wish, today
from tests.support.servers.databases import Database


def wish(**fields: Any) -> Wish:
    return replace(Wish(hotel=1, room_type=None, check_in=today() + timedelta(days=20), nights=2), **fields)


async def test_a_hold_is_a_reservation_with_its_nights_in_one_free_room(pms: Database) -> None:
    booking = await FrontDesk(pms.dsn).hold(wish(room_type=2))
    with pms.connect() as conn:
        nights = conn.execute(
            """SELECT r.status, d.date, d.price, m.room_type_id, d.room_id FROM reservations r
            JOIN reservation_details d ON d.hotel_id = r.hotel_id AND d.reservation_id = r.id
            JOIN rooms m ON m.hotel_id = d.hotel_id AND m.id = d.room_id
            WHERE r.hotel_id = 1 AND r.id = %s ORDER BY d.date""",
            (booking,),
        ).fetchall()
        assert [night[:4] for night in nights] == [
            ("hold", wish().check_in, 0, 2),
            ("hold", wish().check_in + timedelta(days=1), 0, 2),
        ]
        twice = conn.execute(
            """SELECT count(DISTINCT reservation_id) FROM reservation_details
            WHERE hotel_id = 1 AND room_id = %s AND date = %s AND cancelled IS NULL""",
            (nights[0][4], wish().check_in),
        ).fetchone()
        assert twice == (1,)


async def test_a_confirmed_booking_has_a_plan_and_prices(pms: Database) -> None:
    desk = FrontDesk(pms.dsn)
    booking = await desk.hold(wish())
    await desk.confirm(wish(), booking)
    with pms.connect() as conn:
        rows = conn.execute(
            """SELECT r.status, d.plan_name IS NOT NULL, d.price > 0, d.billable FROM reservations r
            JOIN reservation_details d ON d.hotel_id = r.hotel_id AND d.reservation_id = r.id
            WHERE r.hotel_id = 1 AND r.id = %s""",
            (booking,),
        ).fetchall()
    assert rows == [("confirmed", True, True, True)] * 2


async def test_rooms_can_be_booked_until_none_is_left(pms: Database) -> None:
    desk = FrontDesk(pms.dsn)
    with pms.connect() as conn:
        row = conn.execute(
            "SELECT count(*) FROM rooms WHERE hotel_id = 1 AND room_type_id = 6 AND for_sale AND NOT is_staff_room"
        ).fetchone()
    assert row is not None
    booked = 0
    with pytest.raises(NoRoomError, match="free"):  # noqa: PT012 - how often it goes well is the point
        while booked <= row[0]:
            await desk.hold(wish(room_type=6))
            booked += 1
    assert booked <= row[0]


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"hotel": 1, "check_in": "tomorrow", "nights": 1},
        {"hotel": 1, "check_in": today().isoformat(), "nights": 0},
        {"hotel": 1, "check_in": today().isoformat(), "nights": 15},
        {"hotel": 1, "check_in": (today() - timedelta(days=1)).isoformat(), "nights": 1},
        {"hotel": 1, "check_in": (today() + timedelta(days=701)).isoformat(), "nights": 1},
        {"hotel": "x", "check_in": today().isoformat(), "nights": 1},
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(said: object) -> None:
    with pytest.raises(NoRoomError):
        Wish.read(said)
