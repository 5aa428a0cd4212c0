"""What staff do to a booking that came to us: they split, merge, move and write it anew."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID, uuid4

from outbox.inbound import project_booking
from sql import links, scopes
from tests.integration.projection.house import FAR, HOTEL, House, Stay
from tests.integration.projection.overlap import DELETE

COPY: LiteralString = (
    "insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people, status,"
    " type, agent, ota_reservation_id) select %(copy)s, hotel_id, reservation_client_id, check_in, check_out,"
    " number_of_people, status, type, agent, ota_reservation_id from reservations where id = %(id)s"
)
GIVE: LiteralString = (
    "update reservation_details set reservation_id = %(to)s, updated_by = 3 where id = any(%(nights)s)"
)
ANEW: tuple[LiteralString, ...] = (
    "delete from reservation_details where reservation_id = %(id)s",
    "insert into reservation_details (id, hotel_id, reservation_id, date, room_id, number_of_people, price)"
    " values (%(night)s, %(hotel)s, %(id)s, %(day)s, %(room)s, 2, 7000)",
)
"""Staff make a stay longer or shorter: its nights are deleted and written anew."""


async def hear(house: House, batches: str = "together") -> None:
    """Bring the documents up to what staff have done."""
    if batches == "resync":
        await house.stream()
        await scopes.add(house.conn, "booking", HOTEL, "a test")
        await house.follow()
    else:
        await house.follow("one by one" if batches == "one by one" else "together")
    assert await house.wrong() == []


async def booked(house: House, rooms: list[int], *, ahead: int = FAR, nights: int = 1, number: str = "E-1") -> Stay:
    """A booking as the API makes it, followed."""
    stay = await house.stay(rooms, ahead=ahead, nights=nights, kind="web")
    await house.write(
        "update reservations set agent = 'roomwire', ota_reservation_id = %(number)s, updated_by = 1"
        " where id = %(id)s",
        number=number,
        id=stay.id,
    )
    async with house.conn.transaction():
        await links.add(house.conn, links.Link("engine", number, HOTEL, stay.id))
        await project_booking(house.conn, HOTEL, stay.id, house.frame)
    return stay


async def split(house: House, stay: Stay, nights: list[UUID]) -> Stay:
    """Staff give these nights a reservation of their own."""
    copy = uuid4()
    await house.write(COPY, GIVE, copy=copy, id=stay.id, to=copy, nights=nights)
    return Stay(copy, stay.client, nights)


async def merge(house: House, source: Stay, target: Stay) -> None:
    """Staff merge a reservation into another."""
    await house.write(GIVE, DELETE, to=target.id, nights=source.nights, id=source.id)


async def told(house: House, stay: Stay) -> tuple[str, int, list[str]]:
    """A booking's status, how many nights it has, and the reservations that it is made of."""
    body = await house.booking(stay)
    assert body is not None, "the guest is told that it is gone"
    return body["status"], len(body["nights"]), body["reservations"]


def ids(*stays: Stay) -> list[str]:
    """The first one's id, then the others' in order."""
    first, *rest = (str(stay.id) for stay in stays)
    return [first, *sorted(rest)]


async def fares(house: House, stay: Stay) -> Any:
    """How a booking's sync stands."""
    return await house.ask(
        "select status from booking_engine.sync_status where reservation_id = %(id)s", id=stay.id
    )
