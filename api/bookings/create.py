"""Making a booking: one transaction, from the claim on its key to the stored answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from api import freshness
from api.bookings.answers import reply
from api.bookings.asked import BookingAsked, check_guests
from api.bookings.assignment import Need
from api.bookings.guests import booker, staying
from api.bookings.holds import held_rooms
from api.bookings.once import Done, once
from api.bookings.rooms import take_rooms
from api.bookings.terms import agree, check_days
from api.days import today
from api.problems import Problem
from api.quotes.pricing import Priced
from api.routing import Call, Nothing, Reply
from outbox.inbound import project_booking
from sql import links, sync
from sql.links import Link
from sql.pms import booking, holding
from sql.pms.booking import Reservation, RoomNight, Signature
from sql.pms.rooms import Nights, Taken
from sql.projection import Frame
from sql.sync import Ended

Booked = Call[Nothing, BookingAsked]


async def make_booking(call: Booked) -> Reply:
    """Book a stay, once for its key and once for the engine's own id."""
    asked, source = call.body, call.access.source

    async def told(conn: AsyncConnection, ended: Ended) -> None:
        if ended.error != "already_booked":
            await sync.not_booked(conn, source, asked.external_id, asked.hotel_id, ended)

    tried: set[int] = set()
    new = len(asked.rooms) * (asked.check_out - asked.check_in).days if asked.hold_id is None else 0
    return await once(call, lambda conn: _book(conn, call, tried), told, new=new)


async def _book(conn: AsyncConnection, call: Booked, tried: set[int]) -> Reply | Done:
    asked = call.body
    check_days(asked.check_in, asked.check_out, len(asked.rooms), today(call.house.wishes.time_zone))
    check_guests(asked.rooms)
    link = await _link(conn, call)
    priced = await agree(conn, call)
    taken = await _write(conn, call, link, priced, tried)
    reply = await tell(conn, call, link, status=201, new=asked.hold_id is None)
    return reply if taken is None else Done(reply, taken)


async def _link(conn: AsyncConnection, call: Booked) -> Link:
    """Take the engine's own id. Whoever comes second with it waits here, before he holds a room."""
    asked, source = call.body, call.access.source
    link = Link(source, asked.external_id, asked.hotel_id, asked.hold_id or uuid4())
    if not await links.add(conn, link):
        known = await links.find(conn, source, asked.external_id)
        raise Problem("already_booked", booking_id=str(known.reservation_id) if known else None)
    return link


async def _write(conn: AsyncConnection, call: Booked, link: Link, priced: Priced, tried: set[int]) -> Taken | None:
    """Write the reservation, or make one of the hold, which has its nights already."""
    asked, wishes = call.body, call.house.wishes
    needs = [Need(room.room_type_id, room.number_of_people) for room in asked.rooms]
    # Its lock of the user is waited for before anything of the PMS is locked.
    client_id = await booker(conn, call)
    held = None
    if asked.hold_id is None:
        given = await take_rooms(conn, _nights(asked), needs, tried)
    else:
        held, given = await held_rooms(conn, call.access.source, asked, asked.hold_id, needs)
    stays = await staying(conn, call, client_id)
    made = Reservation(
        id=link.reservation_id,
        nights=_nights(asked),
        client_id=client_id,
        people=sum(room.number_of_people for room in asked.rooms),
        status="confirmed",
        external_id=asked.external_id,
        payment_timing=asked.payment_timing,
        comment=asked.requests,
    )
    nights = room_nights(priced, [room.id for room in given], stays)
    by = Signature(wishes.pms_user, wishes.agent)
    if held is not None:
        await holding.confirm(conn, held, made, nights, by)
        return None
    await booking.insert(conn, made, nights, by)
    return Taken(link.hotel_id, made.id, [(night.room_id, night.date) for night in nights])


def room_nights(priced: Priced, given: Sequence[int], guests: Sequence[tuple[UUID, ...]]) -> list[RoomNight]:
    """The nights of a priced stay in these rooms, by room as asked, then date."""
    return [
        RoomNight(night.date, room_id, room.number_of_people, priced.plans[room.plan_key], night.price, staying)
        for room, room_id, staying in zip(priced.stay.rooms, given, guests, strict=True)
        for night in priced.nights[room.plan_key]
    ]


async def tell(conn: AsyncConnection, call: Call[Any, Any], link: Link, *, status: int, new: bool = False) -> Reply:
    """Bring the document up to what was written, last of all, and answer. new: as `project_booking` has it."""
    wishes = call.house.wishes
    frame, fresh = Frame(today(wishes.time_zone), wishes.agent), freshness.now()
    document = await project_booking(conn, link.hotel_id, link.reservation_id, frame, new=new)
    assert document is not None  # it was just written, and lies ahead
    assert document.body is not None  # a tombstone is no booking
    guest_data = call.access.may("guest-data")
    return reply(document.body, document.version, fresh, guest_data=guest_data, status=status)


def _nights(asked: BookingAsked) -> Nights:
    return Nights(asked.hotel_id, asked.check_in, asked.check_out)
