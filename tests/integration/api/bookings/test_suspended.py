"""A process of ours that is suspended or slow lets go of what it has locked."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sql.pms import brevity, changing
from tests.integration.api.bookings.desk import CANCEL, LONGEST, colleague, nobody_suffers, staff_stay, write
from tests.integration.api.bookings.stays import HOTEL, asked, book, room_type
from tests.support.api import Api
from tests.support.daemon import until
from tests.support.waits import watching


async def test_what_a_suspended_process_has_locked_is_let_go_by_the_server(api: Api) -> None:
    theirs = await staff_stay(api)
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
    theirs = await staff_stay(api)
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


async def setting(conn: psycopg.AsyncConnection[Any], name: str) -> str:
    """What a setting of this session is now."""
    row = await (await conn.execute("select current_setting(%s)", [name])).fetchone()
    assert row is not None
    return str(row[0])
