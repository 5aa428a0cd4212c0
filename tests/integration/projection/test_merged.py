"""A booking that came to us keeps its nights wherever staff merge them, and takes none that are another's."""

from __future__ import annotations

from uuid import uuid4

from tests.integration.projection.house import FAR, HOTEL, House, Stay
from tests.integration.projection.overlap import CANCEL, DELETE
from tests.integration.projection.parts import (
    ANEW,
    booked,
    fares,
    hear,
    ids,
    merge,
    split,
    told,
)


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
