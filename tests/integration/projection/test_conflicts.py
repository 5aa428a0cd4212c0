"""Bookings of ours in rooms that another stay has, too: found per room-night, told, and over when it is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from outbox.inbound import project_booking, version_in_step
from sql import conflicts as noted
from sql import links, scopes, sync
from sql.pms import conflicts, rooms
from sql.pms.rooms import Taken
from sql.sync import Ended
from tests.integration.projection.house import FAR, HOTEL, Batches, House, Stay, session
from tests.support.daemon import until

BATCHES = ("together", "one by one")
CANCEL: tuple[LiteralString, ...] = (
    "update reservations set status = 'cancelled', updated_by = 3 where id = %(id)s",
    "update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = 3"
    " where reservation_id = %(id)s",
)
REVIVE: tuple[LiteralString, ...] = (
    "update reservations set status = 'confirmed', updated_by = 3 where id = %(id)s",
    "update reservation_details set cancelled = null, billable = true, updated_by = 3"
    " where reservation_id = %(id)s",
)
CHARGE: LiteralString = (
    "update reservation_details set cancelled = null, billable = true, updated_by = 1 where id = %(night)s"
)
MOVE: tuple[LiteralString, ...] = (
    "update reservation_details set date = date + %(days)s, updated_by = 3 where reservation_id = %(id)s",
    "update reservations set check_in = check_in + %(days)s, check_out = check_out + %(days)s, updated_by = 3"
    " where id = %(id)s",
)
CHANGE_ROOM: LiteralString = (
    "update reservation_details set room_id = %(room)s, updated_by = 3 where reservation_id = %(id)s"
)
DELETE: LiteralString = "delete from reservations where id = %(id)s"


SLOW_STAY: LiteralString = (
    "with r as (insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out,"
    " number_of_people, status) select %(id)s, %(hotel)s, id, %(first)s, %(first)s::date + 2, 1, 'confirmed'"
    " from clients limit 1 returning id)"
    " insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people)"
    " select %(hotel)s, r.id, %(first)s::date + n, %(room)s, 1 from r cross join generate_series(0, 1) n"
    " where n = 0 or pg_advisory_xact_lock(%(gate)s) is not null"
)
"""Its first night is written; the second is when the gate is open. The room is locked when the statement ends."""
GATE = 4711


async def booked(house: House, room: int, *, ahead: int = FAR, nights: int = 2) -> Stay:
    """A booking as the API makes it: linked, with its document, and synced."""
    stay = await house.stay([room], ahead=ahead, nights=nights, kind="web")
    await house.write(
        "update reservations set agent = 'roomwire', ota_reservation_id = %(id)s::text, updated_by = 1"
        " where id = %(id)s",
        id=stay.id,
    )
    link = links.Link("engine", str(stay.id), HOTEL, stay.id)
    async with house.conn.transaction():
        await links.add(house.conn, link)
        await project_booking(house.conn, HOTEL, stay.id, house.frame)
    return stay


async def contested(house: House, stay: Stay) -> list[bool]:
    """What the booking's document says of each night."""
    body = await house.booking(stay)
    assert body is not None
    return [night["contested"] for night in body["nights"]]


async def status(house: House, stay: Stay) -> Any:
    return await house.ask(
        "select status from booking_engine.sync_status where reservation_id = %(id)s", id=stay.id
    )


async def nights_listed(house: House) -> list[tuple[str, list[str]]]:
    """Date and others' ids of each conflict that staff are shown."""
    found = await conflicts.listed(house.conn, house.frame.today)
    return [(str(one.date), [other.split()[0] for other in one.others]) for one in found]


async def follow(house: House, batches: Batches = "together") -> list[Any]:
    """Follow the stream; returns what was logged."""
    with capture_logs() as logs:
        await house.follow(batches)
    return logs


async def revived(house: House, room: int) -> tuple[Stay, tuple[LiteralString, ...], dict[str, Any]]:
    stay = await house.stay([room], nights=2)
    await house.write(*CANCEL, id=stay.id)
    return stay, REVIVE, {"id": stay.id}


async def charged(house: House, room: int) -> tuple[Stay, tuple[LiteralString, ...], dict[str, Any]]:
    stay = await house.stay([room], nights=2)
    await house.write(*CANCEL, id=stay.id)
    return stay, (CHARGE,), {"night": stay.nights[1]}


async def moved_in_time(house: House, room: int) -> tuple[Stay, tuple[LiteralString, ...], dict[str, Any]]:
    stay = await house.stay([room], ahead=FAR + 20, nights=2)
    return stay, MOVE, {"id": stay.id, "days": -20}


async def moved_here(house: House, room: int) -> tuple[Stay, tuple[LiteralString, ...], dict[str, Any]]:
    other = next(one for one in await house.rooms() if one != room)
    stay = await house.stay([other], nights=2)
    return stay, (CHANGE_ROOM,), {"id": stay.id, "room": room}


@pytest.mark.parametrize("batches", BATCHES)
@pytest.mark.parametrize(
    ("over_us", "shared"),
    [
        (revived, [True, True]),
        (charged, [False, True]),
        (moved_in_time, [True, True]),
        (moved_here, [True, True]),
    ],
)
async def test_what_takes_no_lock_in_the_pms_is_a_conflict_until_it_ends(
    house: House, over_us: Any, shared: list[bool], batches: Batches
) -> None:
    room = (await house.rooms())[0]
    theirs, statements, values = await over_us(house, room)
    ours = await booked(house, room)
    await house.follow()
    assert (await contested(house, ours), await status(house, ours)) == ([False, False], "synced")

    await house.write(*statements, **values)
    logs = await follow(house, batches)
    assert await contested(house, ours) == shared
    assert await status(house, ours) == "conflict"
    dates = [str(house.day(FAR + n)) for n, one in enumerate(shared) if one]
    assert await nights_listed(house) == [(day, [str(theirs.id)]) for day in dates]
    assert [(one["event"], one["booking"], one["others"]) for one in logs if one["event"] == "conflict"] == [
        ("conflict", str(ours.id), [str(theirs.id)])
    ]
    assert await house.wrong() == []

    await house.write(DELETE, id=theirs.id)
    logs = await follow(house, batches)
    assert (await contested(house, ours), await status(house, ours)) == ([False, False], "synced")
    assert await nights_listed(house) == []
    assert [one["booking"] for one in logs if one["event"] == "conflict_over"] == [str(ours.id)]
    assert await house.wrong() == []


async def test_a_statement_that_was_not_done_as_we_booked_is_a_conflict(house: House) -> None:
    room, theirs = (await house.rooms())[0], uuid4()
    stay = {"id": theirs, "hotel": HOTEL, "first": house.day(FAR), "room": room, "gate": GATE}
    async with await psycopg.AsyncConnection.connect(house.database.dsn, autocommit=True) as staff:
        await house.desk.execute("select pg_advisory_lock(%s)", [GATE])
        async with staff.transaction():
            await staff.execute("select set_config('my_app.user_id', '3', true)")
            writing = asyncio.create_task(staff.execute(SLOW_STAY, stay))
            assert await until(lambda: waits_at_gate(house), 20)
            ours = await booked(house, room)
            given = [(room, house.day(FAR + n)) for n in range(2)]
            async with house.conn.transaction():
                await rooms.secure(house.conn, Taken(HOTEL, ours.id, given))
            assert not writing.done()
            await house.desk.execute("select pg_advisory_unlock(%s)", [GATE])
            await writing
    logs = await follow(house)
    assert (await contested(house, ours), await status(house, ours)) == ([True, True], "conflict")
    assert [(one["booking"], one["others"]) for one in logs if one["event"] == "conflict"] == [
        (str(ours.id), [str(theirs)])
    ]
    assert await house.wrong() == []


async def waits_at_gate(house: House) -> bool:
    """Whether somebody waits to write his second night."""
    return bool(await house.ask("select count(*) from pg_locks where locktype = 'advisory' and not granted"))


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
