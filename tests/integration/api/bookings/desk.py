"""The front desk, at work beside us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg

from tests.integration.api.bookings.stays import FAR, HOTEL, room_type
from tests.support.api import Api
from tests.support.waits import Waits

STAY: LiteralString = (
    "with r as (insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out,"
    " number_of_people, status) select %(id)s, %(hotel)s, id, %(first)s, %(first)s::date + 1, 1, 'confirmed'"
    " from clients limit 1 returning id)"
    " insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people)"
    " select %(hotel)s, r.id, %(first)s, %(room)s, 1 from r"
)


CANCEL: LiteralString = (
    "update reservation_details set cancelled = gen_random_uuid(), updated_by = 3 where reservation_id = %(id)s"
)


LONGEST = 0.4
"""Seconds that nobody at the front desk waits for us."""


async def write(desk: psycopg.AsyncConnection[Any], *statements: LiteralString, **values: Any) -> None:
    """Statements of the PMS's application."""
    await desk.execute("select set_config('my_app.user_id', '3', true)")
    for statement in statements:
        await desk.execute(statement, values)


async def staff_stay(api: Api) -> UUID:
    """A stay that the front desk has written, in the only room of its type; its id."""
    reservation, kind = uuid4(), await room_type(api, rooms=1)
    (room,) = await rooms_of(api, kind)
    async with colleague(api) as desk, desk.transaction():
        await write(desk, STAY, id=reservation, hotel=HOTEL, first=api.day(FAR), room=room)
    return reservation


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


def nobody_suffers(waits: Waits) -> None:
    """Make sure that staff had no deadlock, and no long wait for us."""
    assert waits.deadlocks == 0
    assert waits.longest < LONGEST, waits
