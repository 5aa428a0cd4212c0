"""The guarantee against the PMS's own people: what was theirs before we looked is not booked over, and none waits.

What staff do afterwards, what a statement of theirs is still doing, and what takes no lock in the PMS, is found
by the conflict watch.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import LiteralString
from uuid import uuid4

import pytest

from api.bookings.assignment import Need
from api.bookings.rooms import take_rooms
from sql.pms import rooms
from sql.pms.rooms import Nights
from tests.integration.api.bookings.desk import CANCEL, STAY, colleague, nobody_suffers, rooms_of, write
from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type
from tests.support.api import Api
from tests.support.daemon import until
from tests.support.waits import watching

CHANGE_ROOM: LiteralString = (
    "update reservation_details set room_id = %(room)s, updated_by = 3 where reservation_id = %(id)s"
)


REVIVE: LiteralString = (
    "update reservation_details set cancelled = null, updated_by = 3 where reservation_id = %(id)s"
)


MOVE: LiteralString = "update reservation_details set date = %(to)s, updated_by = 3 where reservation_id = %(id)s"


OUT_OF_ORDER: LiteralString = "update rooms set for_sale = true, updated_by = 3 where id = %(room)s"


async def our_waits(api: Api) -> bool:
    """Whether a booking waits for a lock."""
    return bool(
        await api.value(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and wait_event_type = 'Lock' and application_name = 'roomwire api'"
        )
    )


@pytest.mark.parametrize("done", [True, False], ids=["committed", "rolled back"])
async def test_a_room_that_a_stay_is_being_moved_to_is_booked_only_if_it_is_not_moved(
    api: Api, *, done: bool
) -> None:
    kind = await room_type(api, rooms=1)
    (room,) = await rooms_of(api, kind)
    elsewhere = await api.value(
        "select id from rooms where hotel_id = %s and room_type_id <> %s limit 1", HOTEL, kind
    )
    theirs = uuid4()
    async with colleague(api) as desk:
        async with desk.transaction():
            await write(desk, STAY, id=theirs, hotel=HOTEL, first=api.day(FAR), room=elsewhere)
        async with desk.transaction(force_rollback=not done):
            await write(desk, CHANGE_ROOM, id=theirs, room=room)
            asking = asyncio.create_task(book(api, asked(api, kind)))
            assert await until(lambda: our_waits(api), 20)
        answer = await asking
    assert (answer.status, answer.code) == ((409, "sold_out") if done else (201, None))


@pytest.mark.parametrize("how", ["revived", "moved in time"])
async def test_what_takes_no_lock_is_seen_where_it_was_committed_before_the_second_look(api: Api, how: str) -> None:
    kind = await room_type(api, rooms=1)
    theirs, (room,) = uuid4(), await rooms_of(api, kind)
    night = Nights(HOTEL, api.day(FAR), api.day(FAR + 1))
    first = api.day(FAR if how == "revived" else FAR + 9)
    async with colleague(api) as desk, api.context.connection() as conn, conn.transaction():
        async with desk.transaction():
            await write(
                desk, STAY, *([CANCEL] if how == "revived" else []), id=theirs, hotel=HOTEL, first=first, room=room
            )
        chosen = await rooms.lock_best(conn, night, kind, 1, [])
        assert chosen is not None
        assert chosen.id == room
        async with desk.transaction():
            await write(desk, REVIVE if how == "revived" else MOVE, id=theirs, to=api.day(FAR))
        assert await rooms.free(conn, night, [room]) == []


async def test_who_waits_for_a_room_that_we_hold_waits_for_no_others_that_we_wait_for(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    lowest, _, highest = await rooms_of(api, kind)
    async with watching(api.database.dsn) as waits, colleague(api) as desk, colleague(api) as other:
        async with desk.transaction():
            # All three are wanted; the last one is being given away for as long as this takes.
            await write(desk, STAY, id=uuid4(), hotel=HOTEL, first=api.day(FAR), room=highest)
            asking = asyncio.create_task(book(api, asked(api, kind, rooms=3)))
            assert await until(lambda: our_waits(api), 20)
            async with other.transaction():
                await write(other, STAY, id=uuid4(), hotel=HOTEL, first=api.day(FAR), room=lowest)
        answer = await asking
    assert (answer.status, answer.code) == (409, "sold_out")
    nobody_suffers(waits)


async def test_rooms_that_we_choose_keep_nobody_at_the_front_desk_waiting(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    (room,) = await rooms_of(api, kind)
    nights = Nights(HOTEL, api.day(FAR), api.day(FAR + 1))
    async with api.context.connection() as conn, conn.transaction(), colleague(api) as desk:
        assert [one.id for one in await take_rooms(conn, nights, [Need(kind, 1)], set())] == [room]
        async with desk.transaction():
            await desk.execute("set local lock_timeout = 1")
            await write(desk, STAY, id=uuid4(), hotel=HOTEL, first=api.day(FAR), room=room)


async def test_the_front_desk_waits_for_less_than_400_ms_while_we_wait_for_it_again_and_again(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    lowest, middle, highest = await rooms_of(api, kind)
    async with watching(api.database.dsn) as waits, AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(colleague(api)) for _ in range(3)]
        for desk, room in zip(desks[:2], (middle, highest), strict=True):
            await stack.enter_async_context(desk.transaction())
            await write(desk, STAY, id=uuid4(), hotel=HOTEL, first=api.day(FAR), room=room)
        asking = asyncio.create_task(book(api, asked(api, kind, rooms=3)))
        number = 0
        # Each attempt has the lowest room to itself as it waits for the others, until it gives up.
        while not asking.done():
            number += 1
            async with desks[2].transaction(force_rollback=True):
                await write(desks[2], STAY, id=uuid4(), hotel=HOTEL, first=api.day(FAR), room=lowest)
        answer = await asking
    assert (answer.status, answer.code) == (503, "unavailable")
    assert number > 1
    assert waits.seconds
    nobody_suffers(waits)


STOP: LiteralString = """
    create function take_time() returns trigger language plpgsql as $$
    begin
        perform pg_sleep(0.5);
        return null;
    end $$;
    create trigger zz_take_time after insert on reservation_details for each statement execute function take_time();
"""
"""Longer than anybody shall wait."""


async def test_nobody_waits_for_a_large_booking_who_takes_a_room_out_of_order(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    await api.desk.execute(STOP)
    async with watching(api.database.dsn) as waits, colleague(api) as desk:
        asking = asyncio.create_task(book(api, asked(api, kind, rooms=3, nights=100)))
        assert await until(lambda: sleeping(api), 20)
        # Of each, whichever of them it has: as long as the trigger takes, and in the midst of the end.
        while not asking.done():
            for room in await rooms_of(api, kind):
                async with desk.transaction():
                    await write(desk, OUT_OF_ORDER, room=room)
        answer = await asking
    assert answer.status in {201, 503}
    nobody_suffers(waits)


UNTIL_TOLD: LiteralString = """
    create table told ();
    grant select on told to public;
    create function take_time() returns trigger language plpgsql as $$
    begin
        while not exists (select from told) loop
            perform pg_sleep(0.01);
        end loop;
        return null;
    end $$;
    create trigger zz_take_time after insert on reservation_details for each statement execute function take_time();
"""


@pytest.mark.parametrize("nights", [2, 60])
async def test_a_room_that_is_taken_out_of_order_meanwhile_is_not_given_away(api: Api, nights: int) -> None:
    kind = await room_type(api, rooms=2)
    both = await rooms_of(api, kind)
    first = await api.value(
        "select id from rooms where id = any(%s) order by assignment_priority nulls last, capacity, id limit 1",
        both,
    )
    await api.desk.execute(UNTIL_TOLD)
    asking = asyncio.create_task(book(api, asked(api, kind, nights=nights)))
    assert await until(lambda: sleeping(api), 20)
    async with colleague(api) as desk, desk.transaction():
        await write(desk, "update rooms set for_sale = false, updated_by = 1 where id = %(room)s", room=first)
        await write(desk, "insert into told default values")
    answer = await asking
    assert answer.status == 201, answer.body
    assert {night["room_id"] for night in answer.body["nights"]} == set(both) - {first}


async def sleeping(api: Api) -> bool:
    """Whether somebody is within the trigger."""
    return bool(await api.rows("select from pg_stat_activity where wait_event = 'PgSleep'"))


@pytest.mark.parametrize("rooms", [1, 2])
async def test_a_room_that_the_front_desk_is_at_is_left_for_another(api: Api, rooms: int) -> None:
    kind = await room_type(api, rooms=rooms + 1)
    first = (await rooms_of(api, kind))[0]
    async with colleague(api) as desk, desk.transaction():
        await write(desk, STAY, id=uuid4(), hotel=HOTEL, first=api.day(FAR), room=first)
        answer = await book(api, asked(api, kind, rooms=rooms))
        assert answer.status == 201, answer.body
    assert first not in {night["room_id"] for night in answer.body["nights"]}


async def test_who_waits_for_his_other_booking_holds_no_room_meanwhile(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    (room,) = await rooms_of(api, kind)
    async with colleague(api) as other, colleague(api) as desk:
        async with other.transaction(force_rollback=True):
            await other.execute(
                "insert into booking_engine.engine_user (source, user_id, client_id)"
                " select 'engine', 'U-1', id from clients limit 1"
            )
            asking = asyncio.create_task(book(api, asked(api, kind, user_id="U-1")))
            assert await until(lambda: our_waits(api), 20)
            async with desk.transaction():
                await desk.execute(
                    "select from rooms where hotel_id = %s and id = %s for update nowait", [HOTEL, room]
                )
        answer = await asking
    assert answer.status == 201, answer.body
