"""Bookings of ours, others that take their rooms, and what is said of it."""

from __future__ import annotations

from typing import Any, LiteralString

from structlog.testing import capture_logs

from outbox.inbound import project_booking
from sql import links
from sql.pms import conflicts
from tests.integration.projection.house import FAR, HOTEL, Batches, House, Stay

CANCEL: tuple[LiteralString, ...] = (
    "update reservations set status = 'cancelled', updated_by = 3 where id = %(id)s",
    "update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = 3"
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
