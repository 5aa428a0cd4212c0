"""The channel manager: bookings, modifications and cancellations of OTAs and the hotels' own sites."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from deploy.pms.names import CHANNELS
from deploy.pms.simulator.desk import Desk, Flows, NothingToDoError
from deploy.pms.simulator.nights import (
    any_client,
    any_plan,
    cancel_nights,
    insert_guests,
    insert_nights,
    insert_rates,
    insert_reservation,
)

flows = Flows()


async def _sell_nights(
    desk: Desk, hotel: int, reservation: UUID, client: UUID, *, check_in: date, nights: int, rooms: int
) -> None:
    """Billable nights with price, guest and rate, then the payment, as a booking from outside brings them."""
    free = await desk.free_rooms(hotel, check_in, nights)
    if len(free) < rooms:
        raise NothingToDoError
    chosen: list[int | None] = [room for room, _, _ in desk.rng.sample(free, rooms)]
    if desk.chance(0.02):
        chosen[-1] = None
    plan = await any_plan(desk, hotel)
    ids = await insert_nights(
        desk, hotel, reservation, chosen, check_in=check_in, nights=nights, plan=plan, billable=True
    )
    await insert_guests(desk, hotel, ids, client)
    await insert_rates(desk, hotel, ids)
    await desk.run(
        """INSERT INTO reservation_payments (hotel_id, reservation_id, date, room_id, client_id,
            payment_type_id, value, created_by, updated_by)
        VALUES (%s, %s, %s, %s, %s, 4, 10000, 1, 1)""",
        hotel,
        reservation,
        check_in,
        chosen[0],
        client,
    )


@flows.flow(12)
async def outside_booking(desk: Desk) -> None:
    """A booking from an OTA or a web site, confirmed at once."""
    kind = desk.rng.choice(("ota", "ota", "web"))
    check_in, nights, rooms = desk.arrival(), desk.length(), desk.rng.choice((1, 1, 1, 1, 2))
    async with desk.transaction():
        hotel = await desk.hotel()
        client = await any_client(desk)
        reservation = await insert_reservation(
            desk,
            hotel,
            client,
            check_in=check_in,
            nights=nights,
            people=rooms,
            status="confirmed",
            kind=kind,
            agent=desk.rng.choice(CHANNELS) if kind == "ota" else "公式サイト",
            external_id=f"RY{desk.rng.getrandbits(40):012d}",
        )
        await _sell_nights(desk, hotel, reservation, client, check_in=check_in, nights=nights, rooms=rooms)
        await desk.run(
            "INSERT INTO ota_xml_queue (hotel_id, service_name, xml_body) VALUES (%s, 'BookingInfo', %s)",
            hotel,
            f"<booking>{reservation}</booking>" * 20,
        )


async def _outside_reservation(desk: Desk) -> tuple[int, UUID, date, int, UUID]:
    hotel = await desk.hotel()
    row = await desk.row(
        """SELECT id, check_in, check_out - check_in, reservation_client_id FROM reservations
        WHERE hotel_id = %s AND id >= %s AND ota_reservation_id IS NOT NULL AND status = 'confirmed'
            AND check_in >= %s
        ORDER BY id LIMIT 1""",
        hotel,
        desk.uuid(),
        desk.today,
    )
    return hotel, *row


@flows.flow(5)
async def outside_modification(desk: Desk) -> None:
    """All nights and payments are deleted and inserted anew, perhaps on other days and in other rooms."""
    hotel, reservation, check_in, nights, client = await _outside_reservation(desk)
    if desk.chance(0.5):
        check_in, nights = desk.arrival(), desk.length()
    async with desk.transaction():
        await desk.run(
            "DELETE FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s", hotel, reservation
        )
        await desk.run(
            "DELETE FROM reservation_payments WHERE hotel_id = %s AND reservation_id = %s", hotel, reservation
        )
        touched = await desk.run(
            """UPDATE reservations SET check_in = %s::date, check_out = %s::date + %s, status = 'confirmed',
                updated_by = 1
            WHERE hotel_id = %s AND id = %s""",
            check_in,
            check_in,
            nights,
            hotel,
            reservation,
        )
        if not touched:
            raise NothingToDoError
        await _sell_nights(
            desk, hotel, reservation, client, check_in=check_in, nights=nights, rooms=desk.rng.choice((1, 1, 2))
        )


@flows.flow(3)
async def outside_cancellation(desk: Desk) -> None:
    """A cancellation; where it is charged, the latest night comes back and stays occupied."""
    hotel, reservation, *_ = await _outside_reservation(desk)
    charged = desk.chance(0.4)
    async with desk.transaction():
        await desk.run(
            "UPDATE reservations SET status = 'cancelled', updated_by = 1 WHERE hotel_id = %s AND id = %s",
            hotel,
            reservation,
        )
        await cancel_nights(desk, hotel, reservation)
        if charged:
            await desk.run(
                """UPDATE reservation_details SET cancelled = NULL, billable = true, updated_by = 1
                WHERE hotel_id = %s AND id = (
                    SELECT id FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s
                    ORDER BY date DESC, id LIMIT 1)""",
                hotel,
                hotel,
                reservation,
            )
