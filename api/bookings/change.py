"""Changing a booking: one transaction, in which only the nights that differ are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from psycopg import AsyncConnection

from api.bookings.asked import MOST_CHANGED, check_guests
from api.bookings.change_models import ChangeAsked
from api.bookings.current import CurrentNight, CurrentRoom, current_rooms, lodging, match
from api.bookings.holds import spend
from api.bookings.own import Own, check_one, check_staff, take, tell_change, told_of
from api.bookings.persons import Persons
from api.bookings.placing import place
from api.bookings.read import BookingPath
from api.bookings.repricing import Terms, terms
from api.bookings.terms import check_days, quoted_total
from api.days import today
from api.request.problems import Fault, Problem
from api.request.routing import Call, Reply
from api.writes.once import Done, once
from sql.pms import changing, rooms
from sql.pms.booking import RoomNight, Signature
from sql.pms.changing import Differences, Head
from sql.pms.rooms import Nights, Taken

Change = Call[BookingPath, ChangeAsked]


@dataclass(frozen=True, slots=True)
class _Slot:
    """One room that is asked for: what it goes on from, and where it will be."""

    number: int
    kept: CurrentRoom | None
    room_id: int


async def change_booking(call: Change) -> Reply:
    """Bring a booking to how it is asked for."""
    if not call.headers.get("if-match", "").strip():
        raise Problem("if_match_missing")
    tried: set[int] = set()
    return await once(call, lambda conn: _change(conn, call, tried), told_of(call))


async def _change(conn: AsyncConnection, call: Change, tried: set[int]) -> Reply | Done:
    own, asked, options = await take(conn, call), call.body, call.context.options
    _check(own, call)
    quoted = quoted_total(call, asked.quote, asked.stay(own.now.hotel_id))
    if asked.hold_id is not None:
        await spend(conn, call.access.source, asked.hold_id, own.now.hotel_id)
    new = Nights(own.now.hotel_id, asked.check_in, asked.check_out)
    slots = await _slots(conn, own, asked, new, tried)
    persons = await Persons.of(conn, call, own.body)
    what = await _differences(conn, call, own, slots, persons)
    if what.weight > MOST_CHANGED:
        said = f"More nights differ than can be written at once, {MOST_CHANGED}: change a part of them first."
        raise Problem("invalid_request", faults=[Fault("/rooms", said)])
    if (what.dropped or any(slot.kept and slot.kept.room_id != slot.room_id for slot in slots)) and (
        await changing.has_payments(conn, own.now)
    ):
        raise Problem("needs_staff", "Something was paid for nights or rooms that would be given up.")
    people = sum(room.number_of_people for room in asked.rooms)
    head = Head(new, persons.booker, people, asked.payment_timing, asked.requests)
    await changing.change(conn, own.now, head, what, Signature(options.pms_user, options.agent))
    told = await tell_change(conn, call, own, spent=asked.hold_id)
    assert isinstance(told.body, Mapping)
    if asked.expected_total not in {None, told.body["total"]} or quoted not in {None, lodging(told.body)}:
        raise Problem("price_changed", **{name: told.body[name] for name in ("total", "as_of", "stale")})
    if taken := _taken(slots, new):
        return Done(told, Taken(new.hotel_id, own.now.id, taken))
    return told


def _taken(slots: Sequence[_Slot], nights: Nights) -> list[tuple[int, date]]:
    """The nights that the booking has not had, by room and date."""
    dates = [nights.check_in + timedelta(days=n) for n in range(len(nights))]
    return [
        (slot.room_id, day)
        for slot in slots
        for day in dates
        if slot.kept is None or slot.kept.room_id != slot.room_id or day not in slot.kept.nights
    ]


def _check(own: Own, call: Change) -> None:
    check_one(own)
    if own.now.status == "cancelled":
        raise Problem("already_cancelled")
    check_staff(own, call)
    if own.now.status != "confirmed":
        raise Problem("needs_staff", "The hotel's staff have taken the booking back.")
    asked = call.body
    check_days(asked.check_in, asked.check_out, len(asked.rooms), today(call.context.options.time_zone))
    check_guests(call.body.rooms)


async def _slots(conn: AsyncConnection, own: Own, asked: ChangeAsked, new: Nights, tried: set[int]) -> list[_Slot]:
    """Where each room that is asked for will be."""
    current = current_rooms(own.body)
    capacities = await rooms.lock(conn, own.now.hotel_id, [room.room_id for room in current])
    kept = match(asked.rooms, current, capacities)
    old = Nights(own.now.hotel_id, own.now.check_in, own.now.check_out)
    placed = await place(conn, old, new, asked.rooms, kept=kept, capacities=capacities, tried=tried)
    return [_Slot(n, room, room_id) for n, (room, room_id) in enumerate(zip(kept, placed, strict=True))]


async def _differences(
    conn: AsyncConnection, call: Change, own: Own, slots: Sequence[_Slot], persons: Persons
) -> Differences:
    """What differs, night by night."""
    asked = call.body
    ids = await changing.active_nights(conn, own.now)
    dates = [asked.check_in + timedelta(days=n) for n in range((asked.check_out - asked.check_in).days)]
    new_terms = {
        slot.number: [day for day in dates if _plan(slot, day) != asked.rooms[slot.number].plan_key]
        for slot in slots
    }
    sold = await terms(conn, call.context.prices, own.now.hotel_id, asked, new_terms)
    what = Differences()
    staying: set[UUID] = set()
    for slot in slots:
        room = asked.rooms[slot.number]
        guests = await persons.staying(conn, room, slot.kept)
        for day in dates:
            night = _night(asked, slot, day, sold, guests)
            before = slot.kept.nights.get(day) if slot.kept else None
            if slot.kept is None or before is None:
                what.added.append(night)
            else:
                night_id = ids[slot.kept.room_id, day]
                staying.add(night_id)
                if not room.guests:
                    night = replace(night, guests=persons.noted(before))
                _compare(what, night_id, before, night, moved=slot.kept.room_id != slot.room_id)
    what.dropped = sorted(set(ids.values()) - staying)
    return what


def _night(asked: ChangeAsked, slot: _Slot, day: date, sold: Terms, guests: tuple[UUID, ...]) -> RoomNight:
    room = asked.rooms[slot.number]
    price = sold.prices.get((room.plan_key, day))
    return RoomNight(day, slot.room_id, room.number_of_people, sold.plans.get(room.plan_key), price, guests)


def _compare(what: Differences, night_id: UUID, before: CurrentNight, night: RoomNight, *, moved: bool) -> None:
    """Note how a night differs that stays; its price is the one that was agreed, unless its plan is another."""
    if moved or before.people != night.people:
        what.moved.append((night_id, night))
    if night.plan is not None and before.plan_key != night.plan.plan_key:
        what.repriced.append((night_id, night))
    if set(before.guests) != set(night.guests):
        what.guests.append((night_id, night))


def _plan(slot: _Slot, day: date) -> str | None:
    night = slot.kept.nights.get(day) if slot.kept else None
    return night.plan_key if night else None
