"""What staff split and move of a booking that came to us stays one booking, until nothing of it is left."""

from __future__ import annotations

from uuid import uuid4

from sql import scopes
from tests.integration.projection.house import FAR, HOTEL, House, Stay
from tests.integration.projection.overlap import CANCEL, DELETE
from tests.integration.projection.parts import ANEW, booked, hear, ids, merge, split, told


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


async def test_a_night_of_staff_s_own_stays_the_guest_s_when_its_part_is_made_theirs(house: House) -> None:
    one, other, third, *_ = await house.rooms()
    ours = await booked(house, [one, other])
    part = await split(house, ours, ours.nights[1:])
    await house.write(*ANEW, id=part.id, night=uuid4(), hotel=HOTEL, day=house.day(FAR), room=third)
    await hear(house)
    await house.write("update reservations set type = 'default', updated_by = 3 where id = %(id)s", id=part.id)
    await hear(house)
    assert await told(house, ours) == ("confirmed", 2, ids(ours, part))
    body = await house.booking(ours)
    assert body is not None
    assert {night["room_id"] for night in body["nights"]} == {one, third}


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


async def test_the_nights_of_a_booking_are_forgotten_with_it(house: House) -> None:
    ours = await booked(house, (await house.rooms())[:1], ahead=-3)
    await house.follow()
    known = "select count(*) from booking_engine.booking_night where booking_id = %(id)s"
    for ahead, left in ((28, 1), (31, 0)):
        async with house.conn.transaction():
            await scopes.prune(house.conn, HOTEL, house.day(ahead))
        assert await house.ask(known, id=ours.id) == left
