"""Conflicts: what of the PMS's takes no lock, and is found afterwards."""

from __future__ import annotations

import asyncio
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest

from sql.pms import rooms
from sql.pms.rooms import Taken
from tests.integration.projection.house import FAR, HOTEL, Batches, House, Stay
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
from tests.support.daemon import until

REVIVE: tuple[LiteralString, ...] = (
    "update reservations set status = 'confirmed', updated_by = 3 where id = %(id)s",
    "update reservation_details set cancelled = null, billable = true, updated_by = 3"
    " where reservation_id = %(id)s",
)
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


@pytest.mark.parametrize("batches", ["together", "one by one"])
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
