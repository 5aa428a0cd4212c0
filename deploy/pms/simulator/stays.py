"""The front desk: holds, plans and prices, states, deletions."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from deploy.pms.names import long_remark, remark
from deploy.pms.prices import price
from deploy.pms.simulator.desk import ALIVE, Desk, Flows, NothingToDoError
from deploy.pms.simulator.nights import (
    Plan,
    any_client,
    any_plan,
    cancel_nights,
    insert_nights,
    insert_rates,
    insert_reservation,
)

flows = Flows()
STATES = ("hold", "provisory", "confirmed", "checked_in", "checked_out", "cancelled")


async def hold(desk: Desk) -> None:
    """Hold one to three free rooms of a type, within the caller's transaction."""
    hotel, check_in, nights = await desk.hotel(), desk.arrival(), desk.length()
    free = await desk.free_rooms(hotel, check_in, nights)
    if not free:
        raise NothingToDoError
    _, wanted_type, capacity = desk.rng.choice(free)
    rooms: list[int | None] = [room for room, room_type, _ in free if room_type == wanted_type]
    rooms = rooms[: desk.rng.choice((1, 1, 1, 2, 3))]
    people = desk.rng.randint(1, capacity)
    client = await any_client(desk)
    reservation = await insert_reservation(
        desk, hotel, client, check_in=check_in, nights=nights, people=people * len(rooms)
    )
    await insert_nights(desk, hotel, reservation, rooms, check_in=check_in, nights=nights, people=people)


@flows.flow(10)
async def staff_hold(desk: Desk) -> None:
    """A hold in one transaction."""
    async with desk.transaction():
        await hold(desk)


@flows.flow(8)
async def plan_and_price(desk: Desk) -> None:
    """Give a reservation a plan, night by night, each in several transactions: a price of 0 shows meanwhile.

    At most five nights: a desk does not finish a long stay in one sitting.
    """
    found = await desk.reservation(ALIVE)
    plan = await any_plan(desk, found.hotel_id)
    nights = await desk.rows(
        """SELECT id, date FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s
        ORDER BY date, id LIMIT 5""",
        found.hotel_id,
        found.id,
    )
    for night, day in nights:
        await _price_night(desk, found.hotel_id, night, plan, price(plan.rates, day))


async def _price_night(desk: Desk, hotel: int, night: UUID, plan: Plan, yen: int) -> None:
    """One transaction for the plan, a second for its rate and price."""
    async with desk.transaction():
        await desk.run(
            """UPDATE reservation_details SET plans_global_id = %s, plans_hotel_id = %s, plan_name = %s,
                plan_type = %s, price = 0, updated_by = 3
            WHERE hotel_id = %s AND id = %s""",
            plan.global_id,
            plan.hotel_id,
            plan.name,
            plan.plan_type,
            hotel,
            night,
        )
    async with desk.transaction():
        await desk.run(
            "DELETE FROM reservation_rates WHERE hotel_id = %s AND reservation_details_id = %s", hotel, night
        )
        await desk.run(
            "UPDATE reservation_details SET price = %s, updated_by = 3 WHERE hotel_id = %s AND id = %s",
            yen,
            hotel,
            night,
        )
        # Another desk may have deleted the night meanwhile: then this inserts nothing.
        await insert_rates(desk, hotel, [night])


@flows.flow(12)
async def change_status(desk: Desk) -> None:
    """Any state to any other, with what it does to the nights."""
    found = await desk.reservation(STATES)
    target = desk.rng.choices((*STATES, "block"), (1, 2, 5, 3, 2, 3, 0.1))[0]
    async with desk.transaction():
        await desk.run(
            "UPDATE reservations SET status = %s, updated_by = 3 WHERE hotel_id = %s AND id = %s",
            target,
            found.hotel_id,
            found.id,
        )
        if target == "cancelled":
            await cancel_nights(desk, found.hotel_id, found.id)
        elif target == "confirmed" and found.status == "cancelled":
            await desk.run(
                """UPDATE reservation_details SET cancelled = NULL, billable = true, updated_by = 3
                WHERE hotel_id = %s AND reservation_id = %s""",
                found.hotel_id,
                found.id,
            )
        elif target in {"confirmed", "provisory"}:
            await desk.run(
                """UPDATE reservation_details SET billable = %s, updated_by = 3
                WHERE hotel_id = %s AND reservation_id = %s AND cancelled IS NULL""",
                target == "confirmed",
                found.hotel_id,
                found.id,
            )


@flows.flow(1)
async def cancel_one_night(desk: Desk) -> None:
    """One night of several is cancelled, or comes back."""
    found = await desk.reservation(("confirmed", "checked_in"))
    async with desk.transaction():
        night = await desk.row(
            """SELECT id FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s
            ORDER BY md5(id::text || %s) LIMIT 1""",
            found.hotel_id,
            found.id,
            str(desk.rng.random()),
        )
        await desk.run(
            """UPDATE reservation_details SET updated_by = 4, billable = cancelled IS NOT NULL,
                cancelled = CASE WHEN cancelled IS NULL THEN gen_random_uuid() END
            WHERE hotel_id = %s AND id = %s""",
            found.hotel_id,
            night[0],
        )


@flows.flow(5)
async def edit_details(desk: Desk) -> None:
    """The plain fields of a reservation, a comment of up to 10 kB among them."""
    found = await desk.reservation(STATES)
    comment = long_remark(desk.rng, desk.rng.randint(3000, 10000)) if desk.chance(0.3) else remark(desk.rng)
    async with desk.transaction():
        if desk.chance(0.5):
            await desk.run(
                """UPDATE reservations SET comment = %s, has_important_comment = %s, updated_by = 3
                WHERE hotel_id = %s AND id = %s""",
                comment if desk.chance(0.9) else None,
                desk.chance(0.1),
                found.hotel_id,
                found.id,
            )
        else:
            await desk.run(
                """UPDATE reservations SET check_in_time = %s, payment_timing = %s, number_of_people = %s,
                    updated_by = 3
                WHERE hotel_id = %s AND id = %s""",
                desk.rng.choice(("15:00", "18:30", "22:00")),
                desk.rng.choice(("not_set", "prepaid", "on-site", "postpaid")),
                desk.rng.randint(1, 6),
                found.hotel_id,
                found.id,
            )


@flows.flow(0.5)
async def make_employee_stay(desk: Desk) -> None:
    """A stay becomes an employee's, or an employee's becomes an ordinary one."""
    found = await desk.reservation(ALIVE)
    async with desk.transaction():
        await desk.run(
            """UPDATE reservations SET type = CASE type WHEN 'employee' THEN 'default' ELSE 'employee' END,
                updated_by = 5
            WHERE hotel_id = %s AND id = %s""",
            found.hotel_id,
            found.id,
        )


@flows.flow(2)
async def delete_hold(desk: Desk) -> None:
    """A hold leaves nothing behind."""
    found = await desk.reservation(("hold",))
    async with desk.transaction():
        await desk.run(
            "DELETE FROM reservations WHERE hotel_id = %s AND id = %s AND status = 'hold'", found.hotel_id, found.id
        )


@flows.flow(1)
async def delete_reservation(desk: Desk) -> None:
    """Any reservation, with all that hangs on it."""
    found = await desk.reservation((*STATES, "block"))
    async with desk.transaction():
        await desk.run("DELETE FROM reservations WHERE hotel_id = %s AND id = %s", found.hotel_id, found.id)


@flows.flow(1)
async def remove_last_night(desk: Desk) -> None:
    """The guest leaves a night earlier: one night of each room is deleted."""
    found = await desk.reservation(ALIVE)
    if found.nights < 2:
        raise NothingToDoError
    last = found.check_out - timedelta(days=1)
    async with desk.transaction():
        await desk.run(
            "DELETE FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s AND date >= %s",
            found.hotel_id,
            found.id,
            last,
        )
        touched = await desk.run(
            """UPDATE reservations SET check_out = %s, updated_by = 3
            WHERE hotel_id = %s AND id = %s AND check_in = %s""",
            last,
            found.hotel_id,
            found.id,
            found.check_in,
        )
        if not touched:
            raise NothingToDoError
