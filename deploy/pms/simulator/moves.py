"""Moving stays about: to other days and rooms, apart, and together."""

from __future__ import annotations

from datetime import timedelta

from deploy.pms.simulator.desk import ALIVE, Desk, Flows, NothingToDoError, Reservation
from deploy.pms.simulator.nights import insert_nights

flows = Flows()


async def _rooms(desk: Desk, found: Reservation) -> list[int]:
    """The rooms of a reservation that are not cancelled."""
    rows = await desk.rows(
        """SELECT DISTINCT room_id FROM reservation_details
        WHERE hotel_id = %s AND reservation_id = %s AND cancelled IS NULL AND room_id IS NOT NULL ORDER BY 1""",
        found.hotel_id,
        found.id,
    )
    if not rows:
        raise NothingToDoError
    return [row[0] for row in rows]


async def _copy_reservation(desk: Desk, found: Reservation, shift: int = 0) -> object:
    """Copy the reservation row, OTA id included, as the application does when it takes a stay apart."""
    copy = desk.uuid()
    touched = await desk.run(
        """INSERT INTO reservations (id, hotel_id, reservation_client_id, check_in, check_in_time, check_out,
            check_out_time, number_of_people, status, type, agent, ota_reservation_id, payment_timing, comment,
                created_by, updated_by)
        SELECT %s, hotel_id, reservation_client_id, check_in + %s, check_in_time, check_out + %s, check_out_time,
            number_of_people, status, type, agent, ota_reservation_id, payment_timing, comment, 3, 3
        FROM reservations WHERE hotel_id = %s AND id = %s""",
        copy,
        shift,
        shift,
        found.hotel_id,
        found.id,
    )
    if not touched:
        raise NothingToDoError
    return copy


async def _fit_dates(desk: Desk, found: Reservation, reservation: object) -> None:
    """Set a reservation's dates to those of its nights."""
    await desk.run(
        """UPDATE reservations SET check_in = n.first, check_out = n.last + 1, updated_by = 3
        FROM (SELECT min(date) AS first, max(date) AS last FROM reservation_details
            WHERE hotel_id = %s AND reservation_id = %s) n
        WHERE hotel_id = %s AND id = %s AND n.first IS NOT NULL""",
        found.hotel_id,
        reservation,
        found.hotel_id,
        reservation,
    )


@flows.flow(6)
async def change_room(desk: Desk) -> None:
    """All nights of one room move to another room, or only those from some night on."""
    found = await desk.reservation(ALIVE)
    room = desk.rng.choice(await _rooms(desk, found))
    first = found.check_in + timedelta(
        days=desk.rng.randrange(found.nights) if desk.chance(0.3) and found.nights else 0
    )
    async with desk.transaction():
        target = await desk.free_room(found.hotel_id, first, max(1, (found.check_out - first).days))
        await desk.run(
            """UPDATE reservation_details SET room_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s AND room_id = %s AND date >= %s""",
            target,
            found.hotel_id,
            found.id,
            room,
            first,
        )


@flows.flow(4)
async def move_dates(desk: Desk) -> None:
    """A stay of one room moves to other days, as long as before: its nights are updated in place."""
    found = await desk.reservation(("hold", "provisory", "confirmed"))
    if len(await _rooms(desk, found)) > 1 or found.check_in < desk.today:
        raise NothingToDoError
    check_in = desk.arrival()
    async with desk.transaction():
        target = await desk.free_room(found.hotel_id, check_in, found.nights)
        await desk.run(
            """UPDATE reservation_details SET date = date + %s, room_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s""",
            (check_in - found.check_in).days,
            target,
            found.hotel_id,
            found.id,
        )
        await desk.run(
            """UPDATE reservations SET check_in = %s, check_out = %s, updated_by = 3 WHERE hotel_id = %s
                AND id = %s""",
            check_in,
            check_in + timedelta(days=found.nights),
            found.hotel_id,
            found.id,
        )


@flows.flow(4)
async def change_length(desk: Desk) -> None:
    """A stay becomes longer or shorter: its nights are deleted and inserted."""
    found = await desk.reservation(("hold", "provisory", "confirmed"))
    rooms = await _rooms(desk, found)
    if len(rooms) > 1 or found.check_in < desk.today:
        raise NothingToDoError
    nights = desk.length()
    async with desk.transaction():
        await desk.run(
            "DELETE FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s", found.hotel_id, found.id
        )
        free = [room for room, _, _ in await desk.free_rooms(found.hotel_id, found.check_in, nights)]
        if not free:
            raise NothingToDoError
        touched = await desk.run(
            """UPDATE reservations SET check_out = %s, updated_by = 3
            WHERE hotel_id = %s AND id = %s AND check_in = %s""",
            found.check_in + timedelta(days=nights),
            found.hotel_id,
            found.id,
            found.check_in,
        )
        if not touched:
            raise NothingToDoError
        room = rooms[0] if rooms[0] in free else desk.rng.choice(free)
        await insert_nights(desk, found.hotel_id, found.id, [room], check_in=found.check_in, nights=nights)


@flows.flow(3)
async def drag_one_room(desk: Desk) -> None:
    """One room of several is dragged to other days: it becomes a reservation of its own."""
    found = await desk.reservation(("hold", "provisory", "confirmed"))
    rooms = await _rooms(desk, found)
    if len(rooms) < 2 or found.check_in < desk.today:
        raise NothingToDoError
    shift = (desk.arrival() - found.check_in).days
    async with desk.transaction():
        target = await desk.free_room(found.hotel_id, found.check_in + timedelta(days=shift), found.nights)
        copy = await _copy_reservation(desk, found, shift)
        await desk.run(
            """UPDATE reservation_details SET reservation_id = %s, date = date + %s, room_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s AND room_id = %s""",
            copy,
            shift,
            target,
            found.hotel_id,
            found.id,
            desk.rng.choice(rooms),
        )


@flows.flow(2)
async def split_rooms(desk: Desk) -> None:
    """One room of several gets a reservation of its own, on the same days."""
    found = await desk.reservation(ALIVE)
    rooms = await _rooms(desk, found)
    if len(rooms) < 2:
        raise NothingToDoError
    async with desk.transaction():
        copy = await _copy_reservation(desk, found)
        await desk.run(
            """UPDATE reservation_details SET reservation_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s AND room_id = %s""",
            copy,
            found.hotel_id,
            found.id,
            rooms[-1],
        )


@flows.flow(2)
async def split_nights(desk: Desk) -> None:
    """The later nights of a stay get a reservation of their own."""
    found = await desk.reservation(ALIVE)
    if found.nights < 2:
        raise NothingToDoError
    cut = found.check_in + timedelta(days=desk.rng.randint(1, found.nights - 1))
    async with desk.transaction():
        copy = await _copy_reservation(desk, found)
        await desk.run(
            """UPDATE reservation_details SET reservation_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s AND date >= %s""",
            copy,
            found.hotel_id,
            found.id,
            cut,
        )
        await _fit_dates(desk, found, found.id)
        await _fit_dates(desk, found, copy)


@flows.flow(2)
async def merge(desk: Desk) -> None:
    """Two reservations of one client become one: the nights change their parent, then the source is deleted."""
    found = await desk.reservation(ALIVE)
    async with desk.transaction():
        source = await desk.row(
            """SELECT o.id FROM reservations r JOIN reservations o USING (hotel_id, reservation_client_id)
            WHERE r.hotel_id = %s AND r.id = %s AND o.id <> r.id AND o.status <> 'block'
            ORDER BY abs(o.check_in - r.check_in), o.id LIMIT 1""",
            found.hotel_id,
            found.id,
        )
        await desk.run(
            """UPDATE reservation_details SET reservation_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s""",
            found.id,
            found.hotel_id,
            source[0],
        )
        await desk.run(
            """UPDATE reservation_payments SET reservation_id = %s, updated_by = 3
            WHERE hotel_id = %s AND reservation_id = %s""",
            found.id,
            found.hotel_id,
            source[0],
        )
        await desk.run("DELETE FROM reservations WHERE hotel_id = %s AND id = %s", found.hotel_id, source[0])
        await _fit_dates(desk, found, found.id)
