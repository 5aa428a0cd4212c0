"""Bookings of ours in rooms that another stay has, too: found per room-night, told, and over when it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString

import pytest

from outbox.inbound import project_booking, version_in_step
from sql import conflicts as noted
from sql import links, scopes, sync
from sql.sync import Ended
from tests.integration.projection.house import FAR, HOTEL, House, Stay, session
from tests.integration.projection.overlap import (
    CANCEL,
    CHANGE_ROOM,
    CHARGE,
    DELETE,
    MOVE,
    booked,
    contested,
    follow,
    nights_listed,
    status,
)


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(CANCEL, id="cancelled"),
        pytest.param(MOVE, id="moved in time"),
        pytest.param((CHANGE_ROOM,), id="moved to another room"),
        pytest.param((DELETE,), id="deleted"),
    ],
)
async def test_a_conflict_ends_with_our_booking_leaving_the_room(
    house: House, ending: tuple[LiteralString, ...]
) -> None:
    room, other, *_ = await house.rooms()
    ours = await booked(house, room)
    await house.stay([room], nights=2, status="block")
    await house.follow()
    assert await status(house, ours) == "conflict"
    await house.write(*ending, id=ours.id, days=30, room=other)
    await house.follow()
    assert await status(house, ours) == "synced"
    assert await nights_listed(house) == []
    assert await house.wrong() == []


async def test_a_booking_that_is_split_takes_its_conflict_along(house: House) -> None:
    room = (await house.rooms())[0]
    ours = await booked(house, room)
    await house.stay([room], ahead=FAR + 1)
    await house.follow()
    assert await contested(house, ours) == [False, True]
    copy = Stay(ours.client, ours.client, ours.nights[1:])
    await house.write(
        "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
        " status, type, agent, ota_reservation_id) select %(copy)s, hotel_id, reservation_client_id, check_in + 1,"
        " check_out, number_of_people, status, type, agent, ota_reservation_id from reservations where id = %(id)s",
        "update reservation_details set reservation_id = %(copy)s, updated_by = 3 where id = %(night)s",
        "update reservations set check_out = check_out - 1, updated_by = 3 where id = %(id)s",
        copy=copy.id,
        id=ours.id,
        night=ours.nights[1],
    )
    await house.follow()
    assert await contested(house, ours) == [False, True]
    assert await status(house, ours) == "conflict"
    assert await house.booking(copy) is None
    assert await house.wrong() == []


async def test_a_conflict_that_came_and_went_before_it_was_read_leaves_nothing(house: House) -> None:
    room = (await house.rooms())[0]
    ours = await booked(house, room)
    await house.follow()
    await house.write("update reservations set comment = 'VIP', updated_by = 3 where id = %(id)s", id=ours.id)
    touched = await house.stream()
    theirs = await house.stay([room], nights=2)
    # The batch of the comment already sees the other stay; the stream tells of it when it is gone.
    await house.project(*touched)
    await house.write(DELETE, id=theirs.id)
    await house.follow()
    assert (await contested(house, ours), await status(house, ours)) == ([False, False], "synced")
    assert await house.wrong() == []


async def test_a_cancelled_booking_with_a_charge_comes_back_by_its_status_alone(house: House) -> None:
    room = (await house.rooms())[0]
    ours = await booked(house, room)
    await house.write(*CANCEL, id=ours.id)
    await house.write(CHARGE, night=ours.nights[0])
    await house.stay([room])
    await house.follow()
    assert await status(house, ours) == "synced"
    await house.write("update reservations set status = 'hold', updated_by = 3 where id = %(id)s", id=ours.id)
    await house.follow()
    assert (await contested(house, ours), await status(house, ours)) == ([True, False], "conflict")
    assert await house.wrong() == []


async def test_two_bookings_of_ours_are_both_told(house: House) -> None:
    room = (await house.rooms())[0]
    one = await booked(house, room)
    other = await booked(house, room, ahead=FAR + 1)
    await house.follow()
    assert (await contested(house, one), await contested(house, other)) == ([False, True], [True, False])
    day = str(house.day(FAR + 1))
    assert sorted(await nights_listed(house)) == sorted([(day, [str(one.id)]), (day, [str(other.id)])])
    assert await house.wrong() == []


async def test_a_resync_finds_what_the_stream_has_not_told(house: House) -> None:
    room = (await house.rooms())[0]
    ours = await booked(house, room)
    await house.stay([room], nights=2)
    await house.stream()
    await house.resync()
    await house.follow()
    assert (await contested(house, ours), await status(house, ours)) == ([True, True], "conflict")
    assert await house.wrong() == []


async def test_what_others_do_among_themselves_is_no_conflict_of_ours(house: House) -> None:
    room, other, *_ = await house.rooms()
    ours = await booked(house, room)
    await house.stay([other], nights=2)
    await house.stay([other], nights=2, kind="web")
    logs = await follow(house)
    assert await status(house, ours) == "synced"
    assert not [one for one in logs if one["event"] == "conflict"]
    assert await house.wrong() == []


async def test_a_night_that_is_over_waits_for_nobody(house: House) -> None:
    room = (await house.rooms())[0]
    ours = await booked(house, room, nights=1)
    theirs = await house.stay([room])
    await house.follow()
    assert await status(house, ours) == "conflict"
    house.frame = replace(house.frame, today=house.day(FAR + 3))
    await scopes.add(house.conn, "horizon", None, "midnight")
    logs = await follow(house)
    assert await status(house, ours) == "synced"
    assert await nights_listed(house) == []
    # What the document says of it stays true as long as it is kept.
    await house.write(DELETE, id=theirs.id)
    logs += await follow(house)
    assert await contested(house, ours) == [False]
    assert not [one for one in logs if one["event"] == "conflict"]
    assert await house.wrong() == []


async def test_the_booking_itself_is_told_and_may_be_changed_meanwhile(house: House) -> None:
    room = (await house.rooms())[0]
    ours = await booked(house, room)
    await house.follow()
    before = await house.version("booking", str(ours.id))
    theirs = await house.stay([room])
    await house.follow()
    after = await house.version("booking", str(ours.id))
    assert before is not None
    assert after is not None
    assert after > before, "every endpoint is told"
    async with await session(house.database) as api, api.transaction():
        assert await version_in_step(api, HOTEL, ours.id, house.frame) == after
        assert await project_booking(api, HOTEL, ours.id, house.frame) is not None
        await sync.attempted(api, "engine", str(ours.id), Ended())
    assert await house.version("booking", str(ours.id)) == after
    assert await status(house, ours) == "conflict", "until it is over"
    async with await session(house.database) as api:
        await sync.attempted(api, "engine", str(ours.id), Ended("unavailable", undecided=True))
    assert await status(house, ours) == "conflict"
    assert await noted.count(house.conn, house.slot) == 0, "no checkpoint, no day"
    await house.write(DELETE, id=theirs.id)
    await house.follow()
    assert await status(house, ours) == "pending", "what its last attempt has left"


async def test_a_conflict_that_was_noted_of_a_hold_is_the_booking_s(house: House) -> None:
    room = (await house.rooms())[0]
    held = await house.stay([room], nights=2, kind="web", status="hold")
    await house.write("update reservations set agent = 'roomwire', updated_by = 1 where id = %(id)s", id=held.id)
    await house.stay([room])
    await house.follow()
    assert await contested(house, held) == [True, False]
    async with house.conn.transaction():
        await links.add(house.conn, links.Link("engine", "held", HOTEL, held.id))
        await house.conn.execute("select set_config('my_app.user_id', '1', true)")
        await house.conn.execute("update reservations set status = 'confirmed' where id = %s", [held.id])
        await project_booking(house.conn, HOTEL, held.id, house.frame)
    assert await status(house, held) == "synced"
    await house.follow()
    assert await status(house, held) == "conflict"
