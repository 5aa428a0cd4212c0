"""Holds: rooms that are kept for a while, and count everywhere at once.

A hold is a reservation in the PMS. Booking it is an update, so its rooms stay; its end is a deletion, unless staff
have changed anything about it: then it is theirs.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from api import freshness
from api.bookings.asked import MOST_CHANGED, BookingAsked
from api.bookings.assignment import Need, assign
from api.bookings.hold_models import HoldAnswer, HoldAsked, HoldPath
from api.bookings.rooms import take_rooms
from api.bookings.terms import check_days
from api.context import Context
from api.days import today
from api.request.problems import Problem
from api.request.routing import Call, Nothing, Reply
from api.writes.once import Done, once
from outbox.inbound import project_booking
from sql import holds
from sql.holds import Hold
from sql.pms import booking, clients, holding
from sql.pms.booking import Reservation, RoomNight, Signature
from sql.pms.holding import Held
from sql.pms.rooms import Nights, Room, Taken
from sql.projection import Frame


async def make_hold(call: Call[Nothing, HoldAsked]) -> Reply:
    """Hold rooms."""
    tried: set[int] = set()
    new = len(call.body.rooms) * (call.body.check_out - call.body.check_in).days
    return await once(call, lambda conn: _hold(conn, call, tried), new=new)


async def release_hold(call: Call[HoldPath, Nothing]) -> Reply:
    """Give held rooms back before their time."""

    async def work(conn: AsyncConnection) -> Reply:
        hold = await holds.take(conn, call.access.source, call.params.hold_id)
        if hold is None or not call.access.knows(hold.hotel_id):
            raise Problem("unknown_hold")
        if not await end(conn, call.context, hold):
            raise Problem("hold_changed")
        return Reply(status=204)

    return await once(call, work)


async def _hold(conn: AsyncConnection, call: Call[Nothing, HoldAsked], tried: set[int]) -> Done:
    asked, options = call.body, call.context.options
    check_days(asked.check_in, asked.check_out, len(asked.rooms), today(options.time_zone), MOST_CHANGED)
    await _check_count(conn, call)
    nights = Nights(asked.hotel_id, asked.check_in, asked.check_out)
    needs = [Need(room.room_type_id, room.number_of_people) for room in asked.rooms]
    fresh = freshness.now()
    given = await take_rooms(conn, nights, needs, tried)
    people = sum(room.number_of_people for room in asked.rooms)
    made = Reservation(uuid4(), nights, clients.HOLD, people, "hold")
    stay = [
        RoomNight(asked.check_in + timedelta(days=n), room.id, wanted.number_of_people)
        for room, wanted in zip(given, asked.rooms, strict=True)
        for n in range(len(nights))
    ]
    await booking.insert(conn, made, stay, Signature(options.pms_user, options.agent))
    digest = await holding.digest(conn, asked.hotel_id, made.id)
    assert digest is not None  # it was just written
    expires_at = (datetime.now(UTC) + timedelta(minutes=asked.minutes)).replace(microsecond=0)
    await holds.add(conn, Hold(made.id, asked.hotel_id, digest), call.access.source, expires_at, len(asked.rooms))
    await project_booking(conn, asked.hotel_id, made.id, Frame(today(options.time_zone), options.agent), new=True)
    said = HoldAnswer(
        as_of=fresh.as_of,
        stale=fresh.stale,
        hold_id=made.id,
        expires_at=expires_at,
        **asked.model_dump(exclude={"minutes"}),
    )
    return Done(Reply(said, 201), Taken(asked.hotel_id, made.id, [(night.room_id, night.date) for night in stay]))


async def _check_count(conn: AsyncConnection, call: Call[Nothing, HoldAsked]) -> None:
    """Make sure that the client does not keep others from more rooms than it may; it holds one at a time."""
    held, seconds = await holds.held(conn, call.access.source)
    if held + len(call.body.rooms) > call.context.options.held_rooms:
        said = f"{held} rooms are held; {call.context.options.held_rooms} may be."
        raise Problem("too_many_held", said, headers={"Retry-After": str(max(1, seconds))})


async def spend(conn: AsyncConnection, source: str, hold_id: UUID, hotel_id: int) -> None:
    """Give a hold's rooms to whoever takes them next in this transaction.

    Raises:
        Problem: `unknown_hold`, or `hold_changed` where staff have made it theirs.
    """
    hold = await holds.take(conn, source, hold_id)
    held = await holding.lock(conn, hold.hotel_id, hold.id) if hold and hold.hotel_id == hotel_id else None
    if hold is None or held is None:
        raise Problem("unknown_hold")
    if await holding.digest(conn, hotel_id, hold_id) != hold.digest:
        raise Problem("hold_changed")
    await holds.remove(conn, hold_id)
    await holding.delete(conn, hotel_id, hold_id)


async def held_rooms(
    conn: AsyncConnection, source: str, asked: BookingAsked, hold_id: UUID, needs: Sequence[Need]
) -> tuple[Held, list[Room]]:
    """The hold that is to be booked, locked and no hold of ours any more, and a room of it for each need.

    Raises:
        Problem: `unknown_hold`, or `hold_changed` where it does not hold this stay.
    """
    hold = await holds.take(conn, source, hold_id)
    held = await holding.lock(conn, hold.hotel_id, hold.id) if hold and hold.hotel_id == asked.hotel_id else None
    if held is None:
        raise Problem("unknown_hold")
    same = held.nights == Nights(asked.hotel_id, asked.check_in, asked.check_out) and len(held.rooms) == len(needs)
    given = assign(needs, held.rooms) if same and held.whole else None
    if given is None:
        raise Problem("hold_changed")
    given_away = await holding.given_away(conn, held.nights.hotel_id, hold_id)
    if given_away.room:
        raise Problem("hold_changed", "The hotel's staff have given one of its rooms to another stay.")
    if given_away.itself:
        raise Problem("hold_changed", "The hotel's staff have given it to a guest of theirs.")
    await holds.remove(conn, hold_id)
    return held, given


async def end(conn: AsyncConnection, context: Context, hold: Hold) -> bool:
    """Delete a locked hold with its reservation; False where staff have made that theirs, and it stays."""
    held = await holding.lock(conn, hold.hotel_id, hold.id)
    mine = held is not None and await holding.digest(conn, hold.hotel_id, hold.id) == hold.digest
    await holds.remove(conn, hold.id)
    if mine:
        await holding.delete(conn, hold.hotel_id, hold.id)
        frame = Frame(today(context.options.time_zone), context.options.agent)
        await project_booking(conn, hold.hotel_id, hold.id, frame)
    return mine or held is None
