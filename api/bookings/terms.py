"""Whether a stay can be booked as it is asked for: its days, its price."""

from datetime import date
from typing import Any

from psycopg import AsyncConnection

from api.bookings.asked import MOST_ROOM_NIGHTS, BookingAsked
from api.days import check_nights
from api.freshness import Fresh
from api.quotes import tokens
from api.quotes.offers import Priced, price_stay
from api.quotes.routes import quote
from api.quotes.tokens import Stay
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing
from sql.later import Later


def check_days(check_in: date, check_out: date, rooms: int, now: date, most: int = MOST_ROOM_NIGHTS) -> None:
    """Make sure that a stay in so many rooms lies within what is known of availability, and can be written at once.

    most: how many room-nights can.

    Raises:
        Problem: it lies in the past, is reversed, too long, too far ahead, or too much.
    """
    check_nights(check_in, check_out, now, place="body")
    if (check_out - check_in).days * rooms > most:
        said = f"Rooms times nights may come to {most}: book the rest by itself."
        raise Problem("invalid_request", faults=[Fault("/rooms", said)])


def quoted_total(call: Call[Any, Any], quote: str | None, stay: Stay) -> int | None:
    """What a client's quote for this stay says, in yen with tax; None without one.

    Raises:
        Problem: `quote_invalid`, `quote_expired`.
    """
    if quote is None:
        return None
    quoted = tokens.verify(call.context.secrets, call.access.source, quote)
    if not quoted.stay.same_as(stay):
        raise Problem("quote_invalid", faults=[Fault("/quote", "It is for another stay.")])
    return quoted.total


async def agree(
    conn: AsyncConnection, call: Call[Nothing, BookingAsked], fresh: Fresh, seen: Later[tuple[int, int]] | None
) -> Priced:
    """The stay at the price that it has now, which is the one that the guest was shown.

    seen: as `Tariffs.at_hand` has it; fresh: how fresh that is.

    Raises:
        Problem: `price_changed` with a new quote; `quote_invalid`, `quote_expired`, `unknown_plan`,
            `plan_not_on_sale`.
        UnpricedError: the price has to be made first.
    """
    asked, source = call.body, call.access.source
    stay = asked.stay()
    expected = {asked.expected_total, quoted_total(call, asked.quote, stay)}
    tariff = await call.context.prices.at_hand(conn, stay.hotel_id, stay.check_in, stay.check_out, seen)
    priced = price_stay(tariff, stay)
    if expected - {None, priced.total}:
        said = quote(call.context, source, priced, fresh).model_dump(mode="json")
        new = {name: said[name] for name in ("total", "quote", "expires_at", "as_of", "stale")}
        raise Problem("price_changed", **new)
    return priced
