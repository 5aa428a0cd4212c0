"""A hotel with a rate for every day: its prices take longer to make than a booking may take."""

from __future__ import annotations

from tests.integration.api.bookings.changes import change
from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type
from tests.support.api import Api

DAYS = 5000


async def rate_each_day(api: Api) -> None:
    """A rate of every plan of the chain for each single day, as a tool that manages revenue writes them."""
    await api.rows(
        "insert into plans_rates (hotel_id, plans_global_id, adjustment_type, adjustment_value, tax_type_id,"
        " tax_rate, condition_type, condition_value, date_start, date_end, created_by, updated_by)"
        " select %s, 1, 'base_rate', 100, 3, 0.1, 'day_of_week', '[\"friday\"]', day, day, 1, 1"
        " from (select current_date + g as day from generate_series(1, %s) g) days returning 1",
        HOTEL,
        DAYS,
    )


async def test_a_stay_is_booked_and_changed_however_many_rates_there_are(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    await rate_each_day(api)
    stay = asked(api, kind, nights=20)
    booking = await book(api, stay)
    assert booking.status == 201, booking.body
    quoted = await api.post(
        "/quotes", {name: stay[name] for name in ("hotel_id", "check_in", "check_out", "rooms")}
    )
    assert booking.body["total"] == quoted.body["total"]
    # Whatever was made of the rates before is worth nothing now.
    await api.rows("update plans_rates set adjustment_value = 5100 where date_start = %s returning 1", api.day(FAR))
    longer = {name: stay[name] for name in ("check_in", "rooms")} | {"check_out": str(api.day(FAR + 27))}
    changed = await change(api, booking, longer)
    assert changed.status == 200, changed.body
    assert changed.body["total"] > booking.body["total"]
