"""The guarantee against the PMS's own people: what was theirs before we looked is not booked over, and none waits.

What staff do afterwards, what a statement of theirs is still doing, and what takes no lock in the PMS, is found
by the conflict watch.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from api.bookings.assignment import Need
from api.bookings.rooms import take_rooms
from deploy.pms.simulator.run import Simulator
from sql.pms import brevity, changing, rooms
from sql.pms.rooms import Nights
from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type
from tests.support.api import Answered, Api
from tests.support.daemon import today, until
from tests.support.waits import Waits, watching

STAY: LiteralString = (
    "with r as (insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out,"
    " number_of_people, status) select %(id)s, %(hotel)s, id, %(first)s, %(first)s::date + 1, 1, 'confirmed'"
    " from clients limit 1 returning id)"
    " insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people)"
    " select %(hotel)s, r.id, %(first)s, %(room)s, 1 from r"
)
CHANGE_ROOM: LiteralString = (
    "update reservation_details set room_id = %(room)s, updated_by = 3 where reservation_id = %(id)s"
)
CANCEL: LiteralString = (
    "update reservation_details set cancelled = gen_random_uuid(), updated_by = 3 where reservation_id = %(id)s"
)
REVIVE: LiteralString = (
    "update reservation_details set cancelled = null, updated_by = 3 where reservation_id = %(id)s"
)
MOVE: LiteralString = "update reservation_details set date = %(to)s, updated_by = 3 where reservation_id = %(id)s"
OUT_OF_ORDER: LiteralString = "update rooms set for_sale = true, updated_by = 3 where id = %(room)s"
LONGEST = 0.4
"""Seconds that nobody at the front desk waits for us."""


async def write(desk: psycopg.AsyncConnection[Any], *statements: LiteralString, **values: Any) -> None:
    """Statements of the PMS's application."""
    await desk.execute("select set_config('my_app.user_id', '3', true)")
    for statement in statements:
        await desk.execute(statement, values)


@asynccontextmanager
async def colleague(api: Api) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Another session of the front desk."""
    async with await psycopg.AsyncConnection.connect(
        api.database.dsn, autocommit=True, application_name="pms"
    ) as desk:
        yield desk


async def rooms_of(api: Api, kind: int) -> list[int]:
    """The rooms of a type that can be sold, in id order."""
    found = await api.rows(
        "select id from rooms where hotel_id = %s and room_type_id = %s and for_sale and not is_staff_room"
        " order by id",
        HOTEL,
        kind,
    )
    return [room for (room,) in found]


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


async def test_what_a_suspended_process_has_locked_is_let_go_by_the_server(api: Api) -> None:
    theirs, kind = uuid4(), await room_type(api, rooms=1)
    (room,) = await rooms_of(api, kind)
    async with colleague(api) as desk, desk.transaction():
        await write(desk, STAY, id=theirs, hotel=HOTEL, first=api.day(FAR), room=room)
    async with api.context.connection() as conn:
        await conn.execute("begin")
        await brevity.act_as(conn, 2)
        await changing.lock(conn, HOTEL, theirs)
        # Nothing of this process runs while this waits for what it has locked.
        assert seconds_to_cancel(api, theirs) < LONGEST
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await conn.execute("commit")


async def test_what_a_suspended_pipeline_has_locked_is_let_go_by_the_server(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await book(api, asked(api, await room_type(api, rooms=1)))
    booking_id, lock = UUID(booking.body["booking_id"]), changing.lock
    waited: list[float] = []

    async def suspended(*args: Any) -> Any:
        locked = await lock(*args)
        if not waited:
            # Nothing of this process runs while this waits for what it has locked.
            waited.append(seconds_to_cancel(api, booking_id))
        return locked

    monkeypatch.setattr(changing, "lock", suspended)
    answer = await api.call("DELETE", f"/bookings/{booking_id}")
    assert (answer.status, answer.code) == (409, "already_cancelled"), answer.body
    assert waited[0] < LONGEST


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


def seconds_to_cancel(api: Api, reservation: UUID) -> float:
    """How long a cancellation at the front desk takes, by the server's clock."""
    with psycopg.connect(api.database.dsn, application_name="pms") as desk:
        desk.execute("select set_config('my_app.user_id', '3', true)")
        desk.execute(
            "update reservations set status = 'cancelled', updated_by = 3 where hotel_id = %s and id = %s",
            [HOTEL, reservation],
        )
        row = desk.execute("select extract(epoch from clock_timestamp() - now())::float8").fetchone()
    assert row is not None
    return float(row[0])


async def test_a_transaction_that_takes_long_is_ended_and_its_session_goes_on(api: Api) -> None:
    theirs, kind = uuid4(), await room_type(api, rooms=1)
    (room,) = await rooms_of(api, kind)
    async with colleague(api) as desk, desk.transaction():
        await write(desk, STAY, id=theirs, hotel=HOTEL, first=api.day(FAR), room=room)
    async with api.context.connection() as conn:
        before = await setting(conn, "lock_timeout")
        async with watching(api.database.dsn) as waits, colleague(api) as desk:
            ours = asyncio.create_task(lock_for_long(conn, theirs))
            assert await until(lambda: locked(api, theirs), 20)
            async with desk.transaction():
                await write(desk, CANCEL, id=theirs)
            assert await ours
        nobody_suffers(waits)
        assert await setting(conn, "lock_timeout") == before


async def lock_for_long(conn: psycopg.AsyncConnection[Any], reservation: UUID) -> bool:
    """Lock a reservation and go on asking for other things; whether that was ended."""
    try:
        async with brevity.brief(), conn.transaction():
            await brevity.act_as(conn, 2)
            await changing.lock(conn, HOTEL, reservation)
            while True:
                await conn.execute("select")
    except brevity.OverdueError:
        return True


async def locked(api: Api, reservation: UUID) -> bool:
    """Whether somebody has locked a reservation's nights."""
    return not await api.rows(
        "select from reservation_details where hotel_id = %s and reservation_id = %s for update skip locked",
        HOTEL,
        reservation,
    )


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


async def setting(conn: psycopg.AsyncConnection[Any], name: str) -> str:
    """What a setting of this session is now."""
    row = await (await conn.execute("select current_setting(%s)", [name])).fetchone()
    assert row is not None
    return str(row[0])


ORDER: LiteralString = """
    create table room_order (night uuid primary key, number bigint, writer text);
    create sequence room_order_number;
    create function note_room_order() returns trigger language plpgsql security definer as $$
    begin
        insert into room_order values (new.id, nextval('room_order_number'), current_setting('application_name'))
        on conflict (night) do update set number = excluded.number, writer = excluded.writer;
        return null;
    end $$;
    create trigger zz_room_order after insert or update of room_id on reservation_details
        for each row execute function note_room_order();
"""
"""Numbers room-nights as they are given away. A trigger of this name fires after the foreign key's, which locks the
room: the numbers stand in the order in which the room was locked, and who locked it first has committed first."""

BOOKED_OVER: LiteralString = """
    select later.*, earlier.*
    from reservation_details d
    join room_order earlier on earlier.night = d.id
    join reservation_details o on o.hotel_id = d.hotel_id and o.room_id = d.room_id and o.date = d.date
        and o.cancelled is null and o.reservation_id <> d.reservation_id
    join room_order later on later.night = o.id and later.number > earlier.number
    where d.cancelled is null and later.writer = 'roomwire api'
"""

INSERTS_AND_ROOM_CHANGES = {
    "staff_hold": 5,
    "outside_booking": 6,
    "change_room": 5,
    "block_room": 2,
    "split_rooms": 1,
    "plan_and_price": 2,
    "edit_details": 2,
    "delete_hold": 1,
}


async def test_staff_at_random_are_never_booked_over_and_never_kept_waiting(api: Api) -> None:
    kinds = await api.rows(
        "select room_type_id from rooms where hotel_id = %s and for_sale and not is_staff_room"
        " group by 1 having count(*) <= 8 order by 1 limit 2",
        HOTEL,
    )
    await api.desk.execute(ORDER)
    simulator = Simulator(api.database.dsn, seed=8, connections=4, today=today(), weights=INSERTS_AND_ROOM_CHANGES)
    stop, width = asyncio.Event(), asyncio.Semaphore(10)

    async def one(number: int, kind: int) -> list[Answered]:
        stay = asked(api, kind, ahead=1 + number % 25, nights=1 + number % 3, rooms=1 + number % 2)
        async with width:
            made = await book(api, stay)
            return (
                [made, await change(api, made, stay, number)] if made.status == 201 and number % 3 == 0 else [made]
            )

    async with watching(api.database.dsn) as waits:
        working = asyncio.create_task(simulator.run(stop=stop))
        try:
            pairs = await asyncio.gather(*(one(number, kind) for number in range(75) for (kind,) in kinds))
        finally:
            stop.set()
            await working
    statuses = Counter(answer.status for answers in pairs for answer in answers)
    assert statuses.keys() <= {200, 201, 409, 412, 503}
    assert statuses[201] > 20
    assert any(len(answers) > 1 for answers in pairs)
    assert simulator.actions.total() > 20
    assert not await api.rows(BOOKED_OVER)
    assert waits.looks > 20
    assert simulator.troubles["DeadlockDetected"] == 0
    nobody_suffers(waits)


async def change(api: Api, made: Answered, stay: dict[str, Any], number: int) -> Answered:
    """Move a booking by some days, and give it a room more or less."""
    ahead, rooms = 20 + number % 25, stay["rooms"]
    body = {
        "check_in": str(api.day(ahead)),
        "check_out": str(api.day(ahead + 2)),
        "rooms": rooms[:1] if len(rooms) > 1 else rooms * 2,
    }
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": made.headers["ETag"]}
    return await api.put(f"/bookings/{made.body['booking_id']}", body, headers=headers)


def nobody_suffers(waits: Waits) -> None:
    """Make sure that staff had no deadlock, and no long wait for us."""
    assert waits.deadlocks == 0
    assert waits.longest < LONGEST, waits
