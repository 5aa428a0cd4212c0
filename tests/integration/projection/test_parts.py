"""What staff split, merge and move of a booking that came to us stays one booking, until nothing of it is left."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest

from outbox.inbound import project_booking
from sql import links, scopes
from tests.integration.projection.house import FAR, HOTEL, House, Stay

COPY: LiteralString = (
    "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people, status,"
    " type, agent, ota_reservation_id) select %(copy)s, hotel_id, reservation_client_id, check_in, check_out,"
    " number_of_people, status, type, agent, ota_reservation_id from reservations where id = %(id)s"
)
GIVE: LiteralString = (
    "update reservation_details set reservation_id = %(to)s, updated_by = 3 where id = any(%(nights)s)"
)
DELETE: LiteralString = "delete from reservations where id = %(id)s"
CANCEL: tuple[LiteralString, ...] = (
    "update reservations set status = 'cancelled', updated_by = 3 where id = %(id)s",
    "update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = 3"
    " where reservation_id = %(id)s",
)
ANEW: tuple[LiteralString, ...] = (
    "delete from reservation_details where reservation_id = %(id)s",
    "insert into reservation_details (id, hotel_id, reservation_id, date, room_id, number_of_people, price)"
    " values (%(night)s, %(hotel)s, %(id)s, %(day)s, %(room)s, 2, 7000)",
)
"""Staff make a stay longer or shorter: its nights are deleted and written anew."""


@pytest.fixture(params=["one by one", "resync"])
def batches(request: pytest.FixtureRequest) -> str:
    """How what staff do is heard of; "resync": not at all, everything is compared afterwards."""
    found: str = request.param
    return found


async def hear(house: House, batches: str = "together") -> None:
    """Bring the documents up to what staff have done."""
    if batches == "resync":
        await house.stream()
        await scopes.add(house.conn, "booking", HOTEL, "a test")
        await house.follow()
    else:
        await house.follow("one by one" if batches == "one by one" else "together")
    assert await house.wrong() == []


async def booked(house: House, rooms: list[int], *, ahead: int = FAR, nights: int = 1, number: str = "E-1") -> Stay:
    """A booking as the API makes it, followed."""
    stay = await house.stay(rooms, ahead=ahead, nights=nights, kind="web")
    await house.write(
        "update reservations set agent = 'roomwire', ota_reservation_id = %(number)s, updated_by = 1"
        " where id = %(id)s",
        number=number,
        id=stay.id,
    )
    async with house.conn.transaction():
        await links.add(house.conn, links.Link("engine", number, HOTEL, stay.id))
        await project_booking(house.conn, HOTEL, stay.id, house.frame)
    return stay


async def split(house: House, stay: Stay, nights: list[UUID]) -> Stay:
    """Staff give these nights a reservation of their own."""
    copy = uuid4()
    await house.write(COPY, GIVE, copy=copy, id=stay.id, to=copy, nights=nights)
    return Stay(copy, stay.client, nights)


async def merge(house: House, source: Stay, target: Stay) -> None:
    """Staff merge a reservation into another."""
    await house.write(GIVE, DELETE, to=target.id, nights=source.nights, id=source.id)


async def told(house: House, stay: Stay) -> tuple[str, int, list[str]]:
    """A booking's status, how many nights it has, and the reservations that it is made of."""
    body = await house.booking(stay)
    assert body is not None, "the guest is told that it is gone"
    return body["status"], len(body["nights"]), body["reservations"]


def ids(*stays: Stay) -> list[str]:
    """The first one's id, then the others' in order."""
    first, *rest = (str(stay.id) for stay in stays)
    return [first, *sorted(rest)]


async def test_what_is_split_off_stays_in_the_booking(house: House) -> None:
    one, other, *_ = await house.rooms()
    ours = await booked(house, [one, other], nights=2)
    await house.follow()
    whole = await house.booking(ours)
    assert whole is not None
    part = await split(house, ours, ours.nights[2:])
    await hear(house)
    # The head of a reservation says how many people it is for; of several, their nights do.
    assert await house.booking(ours) == whole | {"reservations": ids(ours, part), "number_of_people": 4}
    assert not await house.version("booking", str(part.id)), "it has no document of its own"


async def test_a_split_off_part_may_be_cancelled_moved_and_deleted(house: House) -> None:
    one, other, *_ = await house.rooms()
    ours = await booked(house, [one, other])
    await house.follow()
    part = await split(house, ours, ours.nights[1:])
    await hear(house)
    await house.write(
        "update reservation_details set date = %(day)s, updated_by = 3 where reservation_id = %(id)s",
        "update reservations set check_in = %(day)s, check_out = %(day)s::date + 1, updated_by = 3"
        " where id = %(id)s",
        day=house.day(FAR + 5),
        id=part.id,
    )
    await hear(house)
    body = await house.booking(ours)
    assert body is not None
    assert (body["check_in"], body["check_out"]) == (str(house.day(FAR)), str(house.day(FAR + 6)))
    await house.write(*CANCEL, id=part.id)
    await hear(house)
    assert await told(house, ours) == ("confirmed", 2, ids(ours, part))
    await house.write(*CANCEL, id=ours.id)
    await hear(house)
    assert await told(house, ours) == ("cancelled", 2, ids(ours, part))
    await house.write(DELETE, id=part.id)
    await hear(house)
    assert await told(house, ours) == ("cancelled", 1, ids(ours))


async def test_the_original_is_deleted_and_what_was_split_off_lives(house: House, batches: str) -> None:
    one, other, third, *_ = await house.rooms()
    ours = await booked(house, [one, other])
    await house.follow()
    part = await split(house, ours, ours.nights[1:])
    await hear(house, batches)
    await house.write(DELETE, id=ours.id)
    await hear(house, batches)
    assert await told(house, ours) == ("confirmed", 1, ids(part))
    # Its nights are written anew: it is known by what a split copies.
    await house.write(*ANEW, id=part.id, night=uuid4(), hotel=HOTEL, day=house.day(FAR + 1), room=third)
    await hear(house, batches)
    assert await told(house, ours) == ("confirmed", 1, ids(part))
    await house.write(DELETE, id=part.id)
    await hear(house, batches)
    assert await house.booking(ours) is None


async def test_what_staff_bring_into_a_part_that_they_have_made_theirs_is_not_the_guest_s(house: House) -> None:
    one, other, third, *_ = await house.rooms()
    ours = await booked(house, [one, other])
    theirs = await house.stay([third], ahead=FAR - 30)
    part = await split(house, ours, ours.nights[1:])
    await hear(house)
    # An employee's stay, and then an ordinary one: the copy is no booking from outside any more.
    for kind in ("employee", "default"):
        await house.write(
            "update reservations set type = %(kind)s, updated_by = 3 where id = %(id)s", kind=kind, id=part.id
        )
        await hear(house)
    before = await told(house, ours)
    await merge(house, theirs, part)
    await house.write(
        "update reservations set check_in = %(day)s, updated_by = 3 where id = %(id)s",
        day=house.day(FAR - 30),
        id=part.id,
    )
    await hear(house)
    assert await told(house, ours) == before == ("confirmed", 2, ids(ours, part))
    body = await house.booking(ours)
    assert body is not None
    assert body["check_in"] == str(house.day(FAR))


async def test_dates_that_are_not_those_of_the_nights_are_told_as_the_desk_has_them(house: House) -> None:
    one, other, third, *_ = await house.rooms()
    ours, theirs = await booked(house, [one, other]), await house.stay([third])
    part = await split(house, ours, ours.nights[1:])
    # Two have written them at once, each the one that he moved.
    for stay in (ours, part, theirs):
        await house.write(
            "update reservations set check_in = %(first)s, check_out = %(last)s, updated_by = 3 where id = %(id)s",
            first=house.day(FAR + 20),
            last=house.day(FAR - 20),
            id=stay.id,
        )
    await house.write("delete from reservation_details where reservation_id = %(id)s", id=part.id)
    await hear(house)
    for stay in (ours, theirs):
        body = await house.booking(stay)
        assert body is not None
        assert (body["check_in"], body["check_out"]) == (str(house.day(FAR + 20)), str(house.day(FAR - 20)))
    await merge(house, part, theirs)
    await merge(house, theirs, ours)
    await hear(house)


async def test_split_and_merged_back_it_is_as_it_was(house: House) -> None:
    one, other, *_ = await house.rooms()
    ours = await booked(house, [one, other], nights=2)
    await house.follow()
    before = await house.booking(ours)
    part = await split(house, ours, ours.nights[2:])
    await hear(house)
    await merge(house, part, ours)
    await hear(house)
    assert await house.booking(ours) == before
    # The other way round: the part takes in what is left of the original.
    part = await split(house, ours, ours.nights[2:])
    await hear(house)
    await merge(house, Stay(ours.id, ours.client, ours.nights[:2]), part)
    await hear(house)
    assert before is not None
    assert await house.booking(ours) == before | {"reservations": ids(part)}


async def test_merged_into_a_booking_of_the_hotel_s_own_it_keeps_its_nights(house: House, batches: str) -> None:
    one, other, third, *_ = await house.rooms()
    ours, theirs = await booked(house, [one], nights=2), await house.stay([other], nights=3)
    await house.follow()
    await merge(house, ours, theirs)
    await hear(house, batches)
    assert await told(house, ours) == ("confirmed", 2, ids(theirs))
    body = await house.booking(ours)
    assert body is not None
    assert (body["total"], body["number_of_people"]) == (2 * (9000 + 1200), 2)
    assert (body["check_out"], body["external_id"]) == (str(house.day(FAR + 2)), "E-1")
    assert await told(house, theirs) == ("confirmed", 5, ids(theirs))
    # What is done to it there is told of it, too.
    await house.write(
        "update reservation_details set room_id = %(room)s, updated_by = 3 where id = any(%(nights)s)",
        room=third,
        nights=ours.nights,
    )
    await hear(house, batches)
    body = await house.booking(ours)
    assert body is not None
    assert {night["room_id"] for night in body["nights"]} == {third}
    await house.write(*CANCEL, id=theirs.id)
    await hear(house, batches)
    assert await told(house, ours) == ("cancelled", 2, ids(theirs))
    await house.write(DELETE, id=theirs.id)
    await hear(house, batches)
    assert await house.booking(ours) is None
    assert await house.booking(theirs) is None


async def test_nights_that_are_written_anew_where_it_was_merged_to_are_its_own(house: House, batches: str) -> None:
    one, other, *_ = await house.rooms()
    ours, theirs = await booked(house, [one]), await house.stay([other])
    await house.follow()
    await merge(house, ours, theirs)
    await hear(house, batches)
    await house.write(*ANEW, id=theirs.id, night=uuid4(), hotel=HOTEL, day=house.day(FAR + 1), room=one)
    await hear(house, batches)
    assert await told(house, ours) == ("confirmed", 1, ids(theirs))
    await house.write("delete from reservation_details where reservation_id = %(id)s", id=theirs.id)
    await hear(house, batches)
    assert await house.booking(ours) is None
    assert await told(house, theirs) == ("confirmed", 0, ids(theirs))


async def test_another_guest_s_new_night_is_not_taken_for_one_that_was_written_anew(
    house: House, batches: str
) -> None:
    one, other, *_ = await house.rooms()
    ours, theirs = await booked(house, [one]), await house.stay([other])
    await house.follow()
    await merge(house, ours, theirs)
    await hear(house, batches)
    await house.write(
        "delete from reservation_details where id = any(%(nights)s)",
        ANEW[1],
        nights=ours.nights,
        id=theirs.id,
        night=uuid4(),
        hotel=HOTEL,
        day=house.day(FAR + 1),
        room=other,
    )
    await hear(house, batches)
    assert await house.booking(ours) is None
    assert await told(house, theirs) == ("confirmed", 2, ids(theirs))


async def test_a_guest_s_night_that_is_deleted_where_it_was_merged_to_takes_no_other(house: House) -> None:
    one, other, *_ = await house.rooms()
    ours, theirs = await booked(house, [one]), await house.stay([other])
    await house.follow()
    await merge(house, ours, theirs)
    await hear(house)
    await house.write("delete from reservation_details where id = any(%(nights)s)", nights=ours.nights)
    await hear(house)
    assert await house.booking(ours) is None
    assert await told(house, theirs) == ("confirmed", 1, ids(theirs))


async def test_what_it_was_merged_into_is_merged_and_split_again(house: House) -> None:
    one, other, third, *_ = await house.rooms()
    ours, theirs, last = await booked(house, [one]), await house.stay([other]), await house.stay([third])
    await house.follow()
    await merge(house, ours, theirs)
    await hear(house)
    theirs = Stay(theirs.id, theirs.client, [*theirs.nights, *ours.nights])
    await merge(house, theirs, last)
    await hear(house)
    assert await told(house, ours) == ("confirmed", 1, ids(last))
    part = await split(house, last, ours.nights)
    await hear(house)
    assert await told(house, ours) == ("confirmed", 1, ids(part))
    assert await told(house, part) == ("confirmed", 1, ids(part)), "it carries nothing of ours"


async def test_a_stay_that_is_merged_into_ours_becomes_part_of_it(house: House) -> None:
    one, other, *_ = await house.rooms()
    ours, theirs = await booked(house, [one]), await house.stay([other])
    await house.follow()
    await merge(house, theirs, ours)
    await hear(house)
    assert await told(house, ours) == ("confirmed", 2, ids(ours))
    assert await house.booking(theirs) is None


async def test_two_bookings_of_ours_that_are_merged_keep_their_own_nights(house: House, batches: str) -> None:
    one, other, *_ = await house.rooms()
    first, second = await booked(house, [one]), await booked(house, [other], nights=2, number="E-2")
    await house.follow()
    await merge(house, first, second)
    await hear(house, batches)
    assert await told(house, first) == ("confirmed", 1, ids(second))
    assert await told(house, second) == ("confirmed", 2, ids(second))
    # What is split off again carries the second's number; the night stays the first's.
    part = await split(house, second, first.nights)
    await hear(house, batches)
    assert await told(house, first) == ("confirmed", 1, ids(part))
    assert await told(house, second) == ("confirmed", 2, ids(second))
    await house.write(DELETE, id=second.id)
    await hear(house, batches)
    assert await told(house, first) == ("confirmed", 1, ids(part))
    assert await house.booking(second) is None


async def test_a_booking_that_is_merged_before_anybody_has_heard_of_it(house: House) -> None:
    one, other, *_ = await house.rooms()
    theirs = await house.stay([other])
    await house.follow()
    ours = await booked(house, [one])
    await merge(house, ours, theirs)
    await hear(house)
    assert await told(house, ours) == ("confirmed", 1, ids(theirs))


async def test_conflicts_of_nights_that_were_merged_elsewhere(house: House) -> None:
    one, other, *_ = await house.rooms()
    ours, theirs = await booked(house, [one]), await house.stay([other])
    await house.follow()
    await merge(house, ours, theirs)
    await hear(house)
    stranger = await house.stay([one])
    await house.stay([other])
    await hear(house)
    body = await house.booking(ours)
    assert body is not None
    assert [night["contested"] for night in body["nights"]] == [True]
    assert await fares(house, ours) == "conflict"
    await house.write(DELETE, id=stranger.id)
    await hear(house)
    assert await fares(house, ours) == "synced"


async def test_the_nights_of_a_booking_are_forgotten_with_it(house: House) -> None:
    ours = await booked(house, (await house.rooms())[:1], ahead=-3)
    await house.follow()
    known = "select count(*) from booking_engine.booking_night where booking_id = %(id)s"
    for ahead, left in ((28, 1), (31, 0)):
        async with house.conn.transaction():
            await scopes.prune(house.conn, HOTEL, house.day(ahead))
        assert await house.ask(known, id=ours.id) == left


async def fares(house: House, stay: Stay) -> Any:
    return await house.ask(
        "select status from booking_engine.sync_status where reservation_id = %(id)s", id=stay.id
    )
