"""The house itself: rooms, room types, hotels, and a new hotel with its partitions."""

from __future__ import annotations

from datetime import timedelta

from deploy.pms.names import HOTELS, remark
from deploy.pms.simulator.desk import Desk, Flows, NothingToDoError

flows = Flows()
MOST_HOTELS = 40


async def _room(desk: Desk) -> tuple[int, int]:
    hotel = await desk.hotel()
    rooms = await desk.rows("SELECT id FROM rooms WHERE hotel_id = %s ORDER BY id", hotel)
    return hotel, desk.rng.choice(rooms)[0] if rooms else 0


@flows.flow(1)
async def switch_sale(desk: Desk) -> None:
    """A room goes out of order, or comes back."""
    hotel, room = await _room(desk)
    # Back more easily than out, so that a long run does not close the house.
    back = desk.chance(0.7)
    async with desk.transaction():
        await desk.run(
            """UPDATE rooms SET for_sale = %s, updated_by = 3
            WHERE hotel_id = %s AND id = (
                SELECT id FROM rooms WHERE hotel_id = %s AND for_sale <> %s ORDER BY abs(id - %s), id LIMIT 1)""",
            back,
            hotel,
            hotel,
            back,
            room,
        )


@flows.flow(0.5)
async def switch_staff_room(desk: Desk) -> None:
    """A room is given to the staff, or taken back."""
    hotel, room = await _room(desk)
    async with desk.transaction():
        staffed = await desk.rows("SELECT id FROM rooms WHERE hotel_id = %s AND is_staff_room ORDER BY id", hotel)
        target = staffed[0][0] if len(staffed) > 2 else room
        await desk.run(
            "UPDATE rooms SET is_staff_room = NOT is_staff_room, updated_by = 3 WHERE hotel_id = %s AND id = %s",
            hotel,
            target,
        )


@flows.flow(0.7)
async def edit_room(desk: Desk) -> None:
    """Capacity, number, priority, or the type a room belongs to."""
    hotel, room = await _room(desk)
    types = await desk.rows("SELECT id FROM room_types WHERE hotel_id = %s ORDER BY id", hotel)
    if not types:
        raise NothingToDoError
    async with desk.transaction():
        if desk.chance(0.5):
            await desk.run(
                "UPDATE rooms SET room_type_id = %s, updated_by = 3 WHERE hotel_id = %s AND id = %s",
                desk.rng.choice(types)[0],
                hotel,
                room,
            )
        else:
            await desk.run(
                """UPDATE rooms SET capacity = %s, room_number = %s, assignment_priority = %s, updated_by = 3
                WHERE hotel_id = %s AND id = %s""",
                desk.rng.randint(1, 6),
                f"{desk.rng.randint(2, 9)}{room:03d}",
                desk.rng.choice((None, 1, 2)),
                hotel,
                room,
            )


@flows.flow(0.4)
async def add_room(desk: Desk) -> None:
    """A room is added to a type; one that was never booked may go again."""
    hotel = await desk.hotel()
    types = await desk.rows("SELECT id FROM room_types WHERE hotel_id = %s ORDER BY id", hotel)
    if not types:
        raise NothingToDoError
    async with desk.transaction():
        if desk.chance(0.4):
            await desk.run(
                """DELETE FROM rooms WHERE hotel_id = %s AND id = (
                    SELECT id FROM rooms r WHERE hotel_id = %s AND NOT EXISTS (
                        SELECT FROM reservation_details d WHERE d.hotel_id = r.hotel_id AND d.room_id = r.id)
                    AND NOT EXISTS (SELECT FROM reservation_payments p WHERE p.room_id = r.id)
                    ORDER BY id DESC LIMIT 1)""",
                hotel,
                hotel,
            )
            return
        await desk.run(
            """INSERT INTO rooms (hotel_id, room_type_id, floor, room_number, capacity, created_by, updated_by)
            VALUES (%s, %s, 9, %s, 2, 3, 3)""",
            hotel,
            desk.rng.choice(types)[0],
            f"N{desk.rng.getrandbits(32):x}",
        )


@flows.flow(0.5)
async def edit_room_type(desk: Desk) -> None:
    """A type's name or description changes."""
    hotel = await desk.hotel()
    types = await desk.rows("SELECT id, name FROM room_types WHERE hotel_id = %s ORDER BY id", hotel)
    if not types:
        raise NothingToDoError
    found, name = desk.rng.choice(types)
    async with desk.transaction():
        await desk.run(
            "UPDATE room_types SET name = %s, description = %s, updated_by = 3 WHERE hotel_id = %s AND id = %s",
            f"{name.split('・')[0]}・{desk.rng.randint(1, 99)}" if desk.chance(0.3) else name,
            remark(desk.rng),
            hotel,
            found,
        )


@flows.flow(0.3)
async def add_room_type(desk: Desk) -> None:
    """A type is added, without rooms at first; an older one that still has none may be removed."""
    hotel = await desk.hotel()
    async with desk.transaction():
        if desk.chance(0.5):
            await desk.run(
                """DELETE FROM room_types WHERE hotel_id = %s AND id = (
                    SELECT id FROM room_types t WHERE hotel_id = %s AND NOT EXISTS (
                        SELECT FROM rooms r WHERE r.hotel_id = t.hotel_id AND r.room_type_id = t.id)
                    ORDER BY id LIMIT 1)""",
                hotel,
                hotel,
            )
            return
        await desk.run(
            """INSERT INTO room_types (hotel_id, name, description, created_by, updated_by)
            VALUES (%s, %s, %s, 3, 3)""",
            hotel,
            f"特別室 {desk.rng.getrandbits(24):06x}",
            remark(desk.rng),
        )


@flows.flow(0.4)
async def edit_hotel(desk: Desk) -> None:
    """A hotel's own particulars; the bank's are nobody else's business."""
    hotel = await desk.hotel()
    async with desk.transaction():
        if desk.chance(0.3):
            await desk.run(
                "UPDATE hotels SET bank_account_number = %s, updated_by = 5 WHERE id = %s",
                f"{desk.rng.randrange(10**7):07d}",
                hotel,
            )
        else:
            await desk.run(
                "UPDATE hotels SET phone_number = %s, email = %s, latitude = %s, updated_by = 5 WHERE id = %s",
                f"03-5555-{desk.rng.randrange(10**4):04d}",
                f"front{desk.rng.randrange(100)}@example.jp",
                f"35.{desk.rng.randrange(10**6):06d}",
                hotel,
            )


@flows.flow(0.05)
async def new_hotel(desk: Desk) -> None:
    """A hotel opens: its row, its partitions and its rooms come in one transaction."""
    (hotels,) = await desk.row("SELECT count(*) FROM hotels")
    if hotels >= MOST_HOTELS:
        raise NothingToDoError
    name, formal, postal, address, latitude, longitude = desk.rng.choice(HOTELS)
    async with desk.transaction():
        (hotel,) = await desk.row(
            """INSERT INTO hotels (name, formal_name, facility_type, open_date, postal_code, address, latitude,
                longitude, created_by, updated_by)
            VALUES (%s, %s, 'New', %s, %s, %s, %s, %s, 5, 5) RETURNING id""",
            f"{name} 別館 {desk.rng.getrandbits(16):04x}",
            formal,
            desk.today + timedelta(days=30),
            postal,
            address,
            latitude,
            longitude,
        )
        await desk.run("SELECT create_hotel_partitions(%s)", hotel)
        for type_name, capacity in (("シングル", 1), ("ツイン", 2)):
            (room_type,) = await desk.row(
                """INSERT INTO room_types (hotel_id, name, created_by, updated_by)
                VALUES (%s, %s, 5, 5) RETURNING id""",
                hotel,
                type_name,
            )
            await desk.run(
                """INSERT INTO rooms (hotel_id, room_type_id, floor, room_number, capacity, created_by, updated_by)
                SELECT %s, %s, 1 + n / 5, %s || n, %s, 5, 5 FROM generate_series(1, 6) AS n""",
                hotel,
                room_type,
                f"{capacity}-",
                capacity,
            )
        await desk.run(
            """INSERT INTO plans_hotel (hotel_id, name, plan_type, plan_type_category_id, created_by, updated_by)
            VALUES (%s, '開業記念', 'per_room', 1, 5, 5)""",
            hotel,
        )
