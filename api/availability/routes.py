"""`GET /availability/{hotel_id}`: the calendar, or a stay."""

from collections.abc import Sequence

import orjson

from api import freshness
from api.availability import stays
from api.availability.answers import AvailabilityAnswer
from api.availability.asked import AvailabilityAsked
from api.availability.calendars import Wanted
from api.days import check_nights, today
from api.freshness import stamped
from api.lookup import AwayError
from api.request.etags import digest
from api.request.problems import Problem
from api.request.routing import Call, Nothing, Reply, Returns, Route
from sql.pms.stays import stock


async def availability(call: Call[AvailabilityAsked, Nothing]) -> Reply:
    """The calendar or the stay, as asked."""
    return await (_stay if call.params.is_stay() else _calendar)(call)


async def _calendar(call: Call[AvailabilityAsked, Nothing]) -> Reply:
    asked = call.params
    assert asked.from_ is not None
    assert asked.to is not None
    check_nights(asked.from_, asked.to, today(call.context.options.time_zone), ("from", "to"), ahead=None)
    found = await call.context.calendars.read(Wanted(asked.hotel_id, asked.from_, asked.to, asked.room_type_id))
    if asked.room_type_id is not None and not found.room_types:
        raise Problem("unknown_room_type")
    return Reply(found.body, etag=found.etag)


async def _stay(call: Call[AvailabilityAsked, Nothing]) -> Reply:
    if not call.access.checked:
        raise AwayError("the key cannot be checked")
    asked = call.params
    assert asked.check_in is not None
    assert asked.check_out is not None
    assert asked.guests is not None
    check_nights(asked.check_in, asked.check_out, today(call.context.options.time_zone))
    fresh = freshness.now()
    async with call.context.connection() as conn:
        stocks = await stock(conn, asked.hotel_id, asked.check_in, asked.check_out)
        nights = await call.context.prices.nightly(conn, asked.hotel_id, None, asked.check_in, asked.check_out)
    rooms = asked.rooms or 1
    sizes = stays.parties(asked.guests, rooms)
    suggestion = stays.suggestion(stocks, sizes)
    plans = stays.offers(nights, asked.check_in, asked.check_out, sizes)
    body = orjson.dumps(
        {
            "hotel_id": asked.hotel_id,
            "check_in": asked.check_in,
            "check_out": asked.check_out,
            "guests": asked.guests,
            "rooms": rooms,
            "parties": sizes,
            "bookable": bool(suggestion) and any(plan["on_sale"] for plan in plans),
            "suggestion": suggestion,
            "currency": "JPY",
            "room_types": [stays.room_type(one, sizes) for one in stocks],
            "plans": plans,
        }
    )
    return Reply(stamped(fresh, body), etag=digest(body))


_CALENDAR_EXAMPLE = {
    "as_of": "2026-11-23T05:14:56.118204Z",
    "stale": False,
    "hotel_id": 7,
    "from": "2026-12-24",
    "to": "2026-12-27",
    "room_types": [
        {
            "room_type_id": 31,
            "version": 1_795_401_296_123_456,
            "ranges": [
                {"from": "2026-12-24", "until": "2026-12-26", "sellable": 14, "occupied": 14, "available": 0},
                {"from": "2026-12-26", "until": "2026-12-27", "sellable": 14, "occupied": 9, "available": 5},
            ],
        }
    ],
}

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/availability/{hotel_id}",
        handler=availability,
        name="readAvailability",
        tag="Availability",
        summary="Read a hotel's calendar, or look for a stay",
        description="With `from` and `to`: what is left on each night, as the last messages said. With `check_in`,"
        " `check_out` and `guests`: whether so many can stay, each party in one room for all nights, and at what"
        " price, as it is in the PMS now.",
        from_memory=True,
        params=AvailabilityAsked,
        params_examples={"hotel_id": 7, "from": "2026-12-24", "to": "2026-12-27"},
        returns={200: Returns("The calendar or the stay.", AvailabilityAnswer, _CALENDAR_EXAMPLE)},
        problems=("unknown_room_type",),
    ),
)
