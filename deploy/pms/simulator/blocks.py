"""Rooms kept from being sold for some nights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from deploy.pms.seed.catalogue import SYSTEM_BLOCK, TEMPORARY_HOLD
from deploy.pms.simulator.desk import Desk, Flows, NothingToDoError
from deploy.pms.simulator.nights import any_client, insert_nights, insert_reservation

flows = Flows()


async def _block(desk: Desk, hotel: int, rooms: Sequence[int], check_in: date, nights: int) -> None:
    """One reservation per room, within the caller's transaction."""
    temporary = desk.chance(0.3)
    for room in rooms:
        reservation = await insert_reservation(
            desk,
            hotel,
            TEMPORARY_HOLD if temporary else SYSTEM_BLOCK,
            check_in=check_in,
            nights=nights,
            people=0,
            status="block",
            comment="工事のため" if desk.chance(0.5) else None,
        )
        await insert_nights(
            desk, hotel, reservation, [room], check_in=check_in, nights=nights, people=0, block=True
        )
        if temporary:
            await desk.run(
                """UPDATE reservation_details SET is_accommodation = true, updated_by = 3
                WHERE hotel_id = %s AND reservation_id = %s""",
                hotel,
                reservation,
            )


async def _block_free_rooms(desk: Desk, hotel: int, check_in: date, nights: int) -> None:
    free = await desk.free_rooms(hotel, check_in, nights)
    await _block(desk, hotel, [room for room, _, _ in free], check_in, nights)


@flows.flow(3)
async def block_room(desk: Desk) -> None:
    """One room for some nights."""
    hotel, check_in, nights = await desk.hotel(), desk.arrival(), desk.length()
    async with desk.transaction():
        await _block(desk, hotel, [await desk.free_room(hotel, check_in, nights)], check_in, nights)


@flows.flow(0.15)
async def block_hotel(desk: Desk) -> None:
    """All free rooms of a hotel for a night or two."""
    hotel = await desk.hotel()
    async with desk.transaction():
        await _block_free_rooms(desk, hotel, desk.arrival(), desk.rng.randint(1, 2))


@flows.flow(0.03)
async def block_everything(desk: Desk) -> None:
    """All free rooms of all hotels for a night, in one transaction."""
    check_in = desk.arrival()
    async with desk.transaction():
        for (hotel,) in await desk.rows("SELECT id FROM hotels ORDER BY id"):
            await _block_free_rooms(desk, hotel, check_in, 1)


@flows.flow(2)
async def unblock(desk: Desk) -> None:
    """A block is deleted; half the time with all others of its hotel that begin on that day."""
    found = await desk.reservation(("block",))
    together = desk.chance(0.5)
    async with desk.transaction():
        await desk.run(
            """DELETE FROM reservations
            WHERE hotel_id = %s AND status = 'block' AND (id = %s OR (%s AND check_in = %s))""",
            found.hotel_id,
            found.id,
            together,
            found.check_in,
        )


@flows.flow(1)
async def convert_block(desk: Desk) -> None:
    """A block becomes a client's hold in place."""
    found = await desk.reservation(("block",))
    async with desk.transaction():
        client = await any_client(desk)
        touched = await desk.run(
            """UPDATE reservations SET status = 'hold', reservation_client_id = %s, number_of_people = 1,
                updated_by = 3
            WHERE hotel_id = %s AND id = %s""",
            client,
            found.hotel_id,
            found.id,
        )
        if not touched:
            raise NothingToDoError
        await desk.run(
            """UPDATE reservation_details SET is_accommodation = true, number_of_people = 1, price = 0,
                updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s""",
            found.hotel_id,
            found.id,
        )
