"""Making a booking: one transaction, from the claim on its key to the stored answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from api import freshness
from api.bookings.answers import reply
from api.bookings.asked import BookingAsked, check_guests
from api.bookings.assignment import Need
from api.bookings.guests import ask_booker, booker, staying
from api.bookings.holds import held_rooms
from api.bookings.rooms import check_types, take_rooms
from api.bookings.terms import agree, check_days
from api.days import today
from api.quotes.offers import Priced
from api.request.routing import Call, Nothing, Reply
from api.writes.once import Ahead, Done, once
from outbox.inbound import project_booking
from sql import sync
from sql.later import Later
from sql.links import Link
from sql.pms import booking, holding, rooms
from sql.pms.booking import Reservation, RoomNight, Signature
from sql.pms.brevity import MANY
from sql.pms.clients import contact
from sql.pms.holding import Held
from sql.pms.rooms import Nights, Room, Taken
from sql.projection import Frame
from sql.sync import Ended

Booked = Call[Nothing, BookingAsked]


async def make_booking(call: Booked) -> Reply:
    """Book a stay, once for its key and once for the engine's own id."""
    asked, source = call.body, call.access.source

    async def told(conn: AsyncConnection, ended: Ended) -> None:
        if ended.error != "already_booked":
            await sync.not_booked(conn, source, asked.external_id, asked.hotel_id, ended)

    making = _Making(call, Link(source, asked.external_id, asked.hotel_id, asked.hold_id or uuid4()))
    new = len(asked.rooms) * (asked.check_out - asked.check_in).days if asked.hold_id is None else 0
    return await once(
        call, making.book, told, new=new, ahead=Ahead(making.link, contact(asked.guest.guest()), making.ask)
    )


class _Making:
    """The attempts at a booking.

    What depends on nothing else is asked first and together: prices, who books, and the room where it is only one.
    The order keeps waits harmless: whoever comes second with the engine's own id waits before he holds a room, and
    the lock of a user is waited for before anything of the PMS is locked.
    """

    def __init__(self, call: Booked, link: Link) -> None:
        self.call = call
        self.link = link
        self.nights = Nights(call.body.hotel_id, call.body.check_in, call.body.check_out)
        self.needs = [Need(room.room_type_id, room.number_of_people) for room in call.body.rooms]
        self.tried: set[int] = set()
        self.fresh = freshness.now()
        self.prices: Later[tuple[int, int]] | None = None
        self.booker: Later[UUID] | None = None
        self.room: Later[Room | None] | None = None

    async def ask(self, conn: AsyncConnection) -> None:
        """Send what an attempt begins with."""
        self.fresh = freshness.now()
        self.prices = await self.call.context.prices.ask(conn, self.link.hotel_id)
        self.booker = await ask_booker(conn, self.call)
        asked, only = self.call.body, self.needs[0]
        small = len(self.needs) == 1 and (asked.check_out - asked.check_in).days <= MANY
        alone = self.booker and asked.hold_id is None and small and not self.tried
        self.room = await rooms.ask_best(conn, self.nights, only.room_type_id, only.people) if alone else None

    async def book(self, conn: AsyncConnection) -> Reply | Done:
        """Write the booking and answer, with what `ask` has asked for."""
        call, asked = self.call, self.call.body
        check_days(asked.check_in, asked.check_out, len(asked.rooms), today(call.context.options.time_zone))
        check_guests(asked.rooms)
        priced = await agree(conn, call, self.fresh, self.prices)
        taken = await self._write(conn, priced)
        reply = await tell(conn, call, self.link, status=201, new=asked.hold_id is None)
        return reply if taken is None else Done(reply, taken)

    async def _write(self, conn: AsyncConnection, priced: Priced) -> Taken | None:
        """Write the reservation, or make one of the hold, which has its nights already."""
        asked, options = self.call.body, self.call.context.options
        client_id = await (self.booker.get() if self.booker else booker(conn, self.call))
        if len(self.needs) == 1:
            held, given = await self._rooms(conn)
            stays = await staying(conn, self.call, client_id)
        else:
            # A group's guests take a while: not with rooms locked, and not for rooms that are not there.
            await check_types(conn, self.nights.hotel_id, self.needs)
            stays = await staying(conn, self.call, client_id)
            held, given = await self._rooms(conn)
        made = Reservation(
            id=self.link.reservation_id,
            nights=self.nights,
            client_id=client_id,
            people=sum(room.number_of_people for room in asked.rooms),
            status="confirmed",
            external_id=asked.external_id,
            payment_timing=asked.payment_timing,
            comment=asked.requests,
        )
        nights = room_nights(priced, [room.id for room in given], stays)
        by = Signature(options.pms_user, options.agent)
        if held is not None:
            await holding.confirm(conn, held, made, nights, by)
            return None
        await booking.insert(conn, made, nights, by)
        return Taken(self.link.hotel_id, made.id, [(night.room_id, night.date) for night in nights])

    async def _rooms(self, conn: AsyncConnection) -> tuple[Held | None, Sequence[Room]]:
        """Rooms that are free, or those of the hold."""
        asked = self.call.body
        if asked.hold_id is None:
            return None, await take_rooms(conn, self.nights, self.needs, self.tried, asked=self.room)
        return await held_rooms(conn, self.link.source, asked, asked.hold_id, self.needs)


def room_nights(priced: Priced, given: Sequence[int], guests: Sequence[tuple[UUID, ...]]) -> list[RoomNight]:
    """The nights of a priced stay in these rooms, by room as asked, then date."""
    return [
        RoomNight(night.date, room_id, room.number_of_people, priced.plans[room.plan_key], night.price, staying)
        for room, room_id, staying in zip(priced.stay.rooms, given, guests, strict=True)
        for night in priced.nights[room.plan_key]
    ]


async def tell(conn: AsyncConnection, call: Call[Any, Any], link: Link, *, status: int, new: bool = False) -> Reply:
    """Bring the document up to what was written, last of all, and answer. new: as `project_booking` has it."""
    options = call.context.options
    frame, fresh = Frame(today(options.time_zone), options.agent), freshness.now()
    document = await project_booking(conn, link.hotel_id, link.reservation_id, frame, new=new)
    assert document is not None  # it was just written, and lies ahead
    assert document.body is not None  # a tombstone is no booking
    guest_data = call.access.may("guest-data")
    return reply(document.body, document.version, fresh, guest_data=guest_data, status=status)
