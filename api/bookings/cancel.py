"""Cancelling a booking: one transaction, like making it."""

from psycopg import AsyncConnection
from pydantic import Field

from api.bookings.answers import BookingAnswer
from api.bookings.asked import MOST_CANCELLED
from api.bookings.own import check_staff, take, tell_change, told_of
from api.bookings.read import BookingPath
from api.request.problems import Problem
from api.request.routing import Call, Nothing, Reply
from api.writes.once import once
from sql.pms import changing
from sql.pms.booking import Signature


class CancelledAnswer(BookingAnswer):
    """A booking that has been cancelled."""

    cancellation_fee: int = Field(
        description=(
            "Yen, tax included: what of its total is due although it is cancelled, as the quote said: of each night"
            " what the hotel's rates note as such, at most its price, times the people for plans of type"
            " `per_person`. Nothing is charged by cancelling: the hotel decides whether it asks for it."
        ),
        ge=0,
    )


async def cancel_booking(call: Call[BookingPath, Nothing]) -> Reply:
    """Cancel a stay as the PMS does: its rows, prices and payments stay, its rooms are free."""
    return await once(call, lambda conn: _cancel(conn, call), told_of(call))


async def _cancel(conn: AsyncConnection, call: Call[BookingPath, Nothing]) -> Reply:
    own = await take(conn, call)
    standing = [part for part in own.parts if part.status != "cancelled"]
    if not standing:
        raise Problem("already_cancelled")
    check_staff(own, call)
    if sum(len(part.nights) for part in standing) > MOST_CANCELLED:
        raise Problem(
            "needs_staff", f"Staff have made it longer than can be cancelled at once: {MOST_CANCELLED} nights."
        )
    by = Signature(call.context.options.pms_user, call.context.options.agent)
    fee = sum([await changing.cancel(conn, part, by) for part in standing])
    told = await tell_change(conn, call, own)
    assert isinstance(told.body, dict)
    return Reply({**told.body, "cancellation_fee": fee}, etag=told.etag)
