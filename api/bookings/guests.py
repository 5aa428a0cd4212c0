"""Which clients of the PMS the guests of a booking are."""

from collections.abc import Collection
from uuid import UUID

from psycopg import AsyncConnection

from api.access.scopes import Access
from api.bookings.asked import BookingAsked
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing
from sql import access
from sql.later import Later
from sql.pms import clients
from sql.pms.clients import Circle


async def booker(conn: AsyncConnection, call: Call[Nothing, BookingAsked]) -> UUID:
    """The client who books: the user's, where the engine names one whom it has linked; he is linked from now on.

    Raises:
        Problem: a token for one user books for another.
    """
    asked, by, user = call.body, call.access, call.context.options.pms_user
    if by.user_id is not None and asked.user_id not in {None, by.user_id}:
        raise Problem("invalid_request", faults=[Fault("/user_id", "The token is for another user.")])
    user_id = asked.user_id or by.user_id
    linked = await access.user(conn, by.source, user_id) if user_id else None
    if linked and await clients.exists(conn, linked.client_id):
        return linked.client_id
    found = await clients.find_or_create(conn, asked.guest.guest(), user, circle(by))
    if user_id:
        await access.link_user(conn, by.source, user_id, found)
    return found


def circle(by: Access, own: Collection[UUID] = ()) -> Circle:
    """Whom a caller finds among the PMS's clients; own: who is noted in the booking already.

    Who names somebody proves nothing: a user's own token makes neither him nor those he brings along somebody who
    is known here.
    """
    return Circle(by.source, by.hotels, None if by.user_id is None else own)


async def ask_booker(conn: AsyncConnection, call: Call[Nothing, BookingAsked]) -> Later[UUID] | None:
    """Send what `booker` would, without waiting for it; None where that takes more than one question."""
    asked, by = call.body, call.access
    if asked.user_id is not None or by.user_id is not None:
        return None
    return await clients.ask(conn, asked.guest.guest(), call.context.options.pms_user, circle(by))


async def staying(
    conn: AsyncConnection, call: Call[Nothing, BookingAsked], client_id: UUID
) -> list[tuple[UUID, ...]]:
    """The clients who stay in each room; the one who books where nobody is named."""
    asked, user, within = call.body, call.context.options.pms_user, circle(call.access)
    named = {guest: None for room in asked.rooms for guest in room.guests if guest != asked.guest}
    # A group's are asked for together: one after the other they would take longer than a booking may.
    sought = {guest: await clients.ask(conn, guest.guest(), user, within) for guest in named}
    known = {asked.guest: client_id} | {guest: await found.get() for guest, found in sought.items()}
    return [tuple(dict.fromkeys(known[guest] for guest in room.guests)) or (client_id,) for room in asked.rooms]
