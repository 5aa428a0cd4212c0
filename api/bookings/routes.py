"""The routes of bookings."""

from collections.abc import Sequence

from api.bookings.answers import BookingAnswer
from api.bookings.asked import BookingAsked
from api.bookings.cancel import CancelledAnswer, cancel_booking
from api.bookings.change import change_booking
from api.bookings.change_models import ChangeAsked
from api.bookings.create import make_booking
from api.bookings.hold_models import HoldAnswer, HoldAsked, HoldPath
from api.bookings.holds import make_hold, release_hold
from api.bookings.read import BookingPath, ChangedAnswer, ChangedAsked, list_bookings, read_booking
from api.request.routing import Link, Returns, Route
from outbox.messages.examples import EXAMPLES

_EXAMPLE = {
    "hotel_id": 7,
    "external_id": "E-20261224-0047",
    "check_in": "2026-12-24",
    "check_out": "2026-12-25",
    "rooms": [{"room_type_id": 31, "plan_key": "2h18", "number_of_people": 2, "guests": [{"name": "山田 花子"}]}],
    "guest": {"name": "山田 花子", "name_kana": "ヤマダ ハナコ", "email": "hanako@example.jp"},
    "payment_timing": "prepaid",
    "requests": "遅い時間に着きます。",
    "expected_total": 18600,
}

_FRESH = {"as_of": "2026-11-23T05:14:56.118204Z", "stale": False}
_LISTED = EXAMPLES["booking.created"]["data"] | {
    "links": {"self": f"/api/booking-engine/bookings/{EXAMPLES['booking.created']['data']['booking_id']}"}
}
_BOOKED = _FRESH | _LISTED

_ID = EXAMPLES["booking.created"]["data"]["booking_id"]
_HELD = {
    "hotel_id": 7,
    "check_in": "2026-12-24",
    "check_out": "2026-12-25",
    "rooms": [{"room_type_id": 31, "number_of_people": 2}],
}

_BY_ID = {"path.booking_id": "$response.body#/booking_id"}
_CANCELLED = _FRESH | EXAMPLES["booking.cancelled"]["data"] | {"links": _LISTED["links"], "cancellation_fee": 6400}
_CHANGED = _FRESH | {
    "bookings": [_LISTED],
    "deleted": [],
    "cursor": "AAZoS2MwEYAAAAAAAAAAAAAAAAAAAAAA",
    "more": False,
}

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/bookings",
        handler=make_booking,
        name="makeBooking",
        tag="Bookings",
        summary="Book a stay",
        description=(
            "Made once for its Idempotency-Key and its `external_id`, in rooms that were free, each of them for all"
            " nights. Availability follows within milliseconds."
        ),
        scope="book",
        body=BookingAsked,
        body_example=_EXAMPLE,
        returns={201: Returns("The booking; its ETag is its version.", BookingAnswer, _BOOKED)},
        problems=(
            "already_booked",
            "sold_out",
            "price_changed",
            "in_progress",
            "idempotency_key_reused",
            "unknown_room_type",
            "unknown_plan",
            "plan_not_on_sale",
            "too_many_people",
            "quote_invalid",
            "quote_expired",
            "unknown_hold",
            "hold_changed",
        ),
        writes=True,
        links={
            201: {
                "read": Link("readBooking", "The booking as it is.", _BY_ID),
                "change": Link(
                    "changeBooking", "Change it.", _BY_ID | {"header.If-Match": "$response.header.ETag"}
                ),
                "cancel": Link("cancelBooking", "Cancel it.", _BY_ID),
            }
        },
    ),
    Route(
        method="GET",
        path="/bookings/{booking_id}",
        handler=read_booking,
        name="readBooking",
        tag="Bookings",
        summary="A booking as it is",
        description=(
            "Of those that this client has made. Its ETag is its version; names and contacts need the scope"
            " `guest-data`."
        ),
        params=BookingPath,
        params_examples={"booking_id": _ID},
        returns={200: Returns("The booking.", BookingAnswer, _BOOKED)},
        problems=("unknown_booking",),
    ),
    Route(
        method="PUT",
        path="/bookings/{booking_id}",
        handler=change_booking,
        name="changeBooking",
        tag="Bookings",
        summary="Change a booking",
        description=(
            "To the days and rooms that are sent. Only nights that differ are changed: the others keep their price"
            " and whatever was added to them, and guests their rooms where those are free. Nights that are new, or"
            " under another plan, cost what they cost today."
        ),
        scope="book",
        params=BookingPath,
        params_examples={"booking_id": _ID},
        body=ChangeAsked,
        body_example={name: _EXAMPLE[name] for name in ("check_in", "check_out", "rooms", "expected_total")},
        returns={200: Returns("The booking; its ETag is its version.", BookingAnswer, _BOOKED)},
        problems=(
            "unknown_booking",
            "already_cancelled",
            "needs_staff",
            "booking_changed",
            "if_match_missing",
            "sold_out",
            "price_changed",
            "quote_invalid",
            "quote_expired",
            "unknown_hold",
            "hold_changed",
            "unknown_room_type",
            "unknown_plan",
            "plan_not_on_sale",
            "too_many_people",
            "in_progress",
            "idempotency_key_reused",
        ),
        writes=True,
        if_match="must",
    ),
    Route(
        method="DELETE",
        path="/bookings/{booking_id}",
        handler=cancel_booking,
        name="cancelBooking",
        tag="Bookings",
        summary="Cancel a booking",
        description=(
            "Its rooms are free at once; the booking stays, with status `cancelled`. Possible until the day of"
            " arrival is over, and before the guests have checked in. What was paid is the hotel's to give back."
        ),
        scope="book",
        params=BookingPath,
        params_examples={"booking_id": _ID},
        returns={200: Returns("The booking; its ETag is its version.", CancelledAnswer, _CANCELLED)},
        problems=(
            "unknown_booking",
            "already_cancelled",
            "needs_staff",
            "booking_changed",
            "in_progress",
            "idempotency_key_reused",
        ),
        writes=True,
        if_match="may",
    ),
    Route(
        method="GET",
        path="/bookings",
        handler=list_bookings,
        name="listBookings",
        tag="Bookings",
        summary="Bookings that have changed",
        description=(
            "Those that this client has made, in the order of their versions. Ask again with the `cursor`, at once"
            " while there are `more`. What changed in the last minute may come again: keep the higher version."
        ),
        params=ChangedAsked,
        params_examples={"updated_since": "2026-11-23T00:00:00Z"},
        returns={200: Returns("The next ones.", ChangedAnswer, _CHANGED)},
    ),
    Route(
        method="POST",
        path="/holds",
        handler=make_hold,
        name="makeHold",
        tag="Bookings",
        summary="Hold rooms",
        description=(
            "Keeps definite rooms for a while: a reservation in the PMS that counts everywhere at once. Book it by"
            " its id before it expires; otherwise the rooms are given back."
        ),
        scope="book",
        body=HoldAsked,
        body_example=_HELD | {"minutes": 15},
        returns={
            201: Returns(
                "The hold.", HoldAnswer, _FRESH | _HELD | {"hold_id": _ID, "expires_at": "2026-11-23T05:29:56Z"}
            )
        },
        problems=(
            "sold_out",
            "too_many_held",
            "in_progress",
            "idempotency_key_reused",
            "unknown_room_type",
            "too_many_people",
        ),
        writes=True,
        links={
            201: {
                "book": Link(
                    "makeBooking",
                    "Book what is held.",
                    body={name: f"$request.body#/{name}" for name in ("hotel_id", "check_in", "check_out")}
                    | {"hold_id": "$response.body#/hold_id"},
                ),
                "release": Link("releaseHold", "Give it back.", {"path.hold_id": "$response.body#/hold_id"}),
            }
        },
    ),
    Route(
        method="DELETE",
        path="/holds/{hold_id}",
        handler=release_hold,
        name="releaseHold",
        tag="Bookings",
        summary="Give held rooms back",
        scope="book",
        params=HoldPath,
        params_examples={"hold_id": _ID},
        returns={204: Returns("The rooms are free again.")},
        problems=("unknown_hold", "hold_changed", "in_progress", "idempotency_key_reused"),
        writes=True,
    ),
)
