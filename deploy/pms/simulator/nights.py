"""What several flows do with the nights of a reservation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from deploy.pms.names import person
from deploy.pms.prices import Rate, price
from deploy.pms.simulator.desk import Desk, NothingToDoError


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that can be sold, with its rates."""

    global_id: int | None
    hotel_id: int | None
    name: str
    plan_type: str
    rates: Sequence[Rate]


async def any_plan(desk: Desk, hotel: int) -> Plan:
    """One plan of a hotel, global or its own, with its rates read as the application reads them."""
    plans = await desk.rows(
        """SELECT g.id, NULL::int, g.name, g.plan_type FROM plans_global g
        WHERE NOT EXISTS (SELECT FROM hotel_plan_exclusions x WHERE x.hotel_id = %s AND x.global_plan_id = g.id)
        UNION ALL
        SELECT h.plans_global_id, h.id, coalesce(h.name, g.name), coalesce(h.plan_type, g.plan_type)
        FROM plans_hotel h LEFT JOIN plans_global g ON g.id = h.plans_global_id
        WHERE h.hotel_id = %s AND h.is_active AND coalesce(h.name, g.name) IS NOT NULL
        ORDER BY 1 NULLS LAST, 2 NULLS LAST""",
        hotel,
        hotel,
    )
    if not plans:
        raise NothingToDoError
    global_id, hotel_plan_id, name, plan_type = desk.rng.choice(plans)
    rates = await desk.rows(
        """SELECT adjustment_type, adjustment_value, condition_type, condition_value, date_start, date_end,
            tax_type_id, tax_rate
        FROM plans_rates
        WHERE (plans_global_id = %s AND plans_hotel_id IS NULL) OR (hotel_id = %s AND plans_hotel_id = %s)""",
        global_id,
        hotel,
        hotel_plan_id,
    )
    return Plan(global_id, hotel_plan_id, name, plan_type or "per_room", [Rate(*rate) for rate in rates])


async def any_client(desk: Desk) -> UUID:
    """A regular or, more often, a new client; a new one is inserted in the caller's transaction."""
    if desk.chance(0.3):
        known = await desk.rows("SELECT id FROM clients WHERE id >= %s ORDER BY id LIMIT 1", desk.uuid())
        if known and known[0][0].int >> 96 not in {0x11111111, 0x22222222}:
            return UUID(str(known[0][0]))
    who, client = person(desk.rng), desk.uuid()
    await desk.run(
        """INSERT INTO clients (id, name, name_kana, name_kanji, legal_or_natural_person, email, phone,
            created_by, updated_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s, 3, 3)""",
        client,
        who.name,
        who.kana,
        who.kanji,
        "legal" if who.legal else "natural",
        who.email,
        who.phone,
    )
    return client


async def insert_nights(
    desk: Desk,
    hotel: int,
    reservation: UUID,
    rooms: Sequence[int | None],
    *,
    check_in: date,
    nights: int,
    plan: Plan | None = None,
    people: int = 1,
    billable: bool = False,
    block: bool = False,
) -> list[UUID]:
    """Insert the nights of a reservation in one statement, and return their new ids.

    Without a plan the price is 0, or NULL for a block; with one it is the plan's price of each date.
    """
    slots = [(check_in + timedelta(days=offset), room) for room in rooms for offset in range(nights)]
    ids = [desk.uuid() for _ in slots]
    unpriced = None if block else Decimal(0)
    prices = [Decimal(price(plan.rates, night)) if plan else unpriced for night, _ in slots]
    await desk.run(
        """INSERT INTO reservation_details (id, hotel_id, reservation_id, date, room_id, price, plans_global_id,
            plans_hotel_id, plan_name, plan_type, number_of_people, billable, is_accommodation, created_by,
                updated_by)
        SELECT n.id, %s, %s, n.date, n.room, n.price, %s, %s, %s, %s, %s, %s, %s, 1, 1
        FROM unnest(%s::uuid[], %s::date[], %s::int[], %s::numeric[]) AS n (id, date, room, price)""",
        hotel,
        reservation,
        plan and plan.global_id,
        plan and plan.hotel_id,
        plan and plan.name,
        plan.plan_type if plan else "per_room",
        people,
        billable,
        not block,
        ids,
        [night for night, _ in slots],
        [room for _, room in slots],
        prices,
    )
    return ids


async def insert_rates(desk: Desk, hotel: int, nights: Sequence[UUID]) -> None:
    """One base_rate row per night, worth the night's price."""
    await desk.run(
        """INSERT INTO reservation_rates (hotel_id, reservation_details_id, adjustment_type, adjustment_value,
            include_in_cancel_fee, tax_type_id, tax_rate, price, created_by, updated_by)
        SELECT hotel_id, id, 'base_rate', price, true, 3, 0.1, price, 1, 1
        FROM reservation_details WHERE hotel_id = %s AND id = ANY(%s)""",
        hotel,
        list(nights),
    )


async def insert_guests(desk: Desk, hotel: int, nights: Sequence[UUID], client: UUID) -> None:
    """Name a guest on every one of these nights."""
    await desk.run(
        """INSERT INTO reservation_clients (hotel_id, reservation_details_id, client_id, created_by, updated_by)
        SELECT %s, night, %s, 1, 1 FROM unnest(%s::uuid[]) AS night""",
        hotel,
        client,
        list(nights),
    )


async def insert_reservation(
    desk: Desk,
    hotel: int,
    client: UUID | str,
    *,
    check_in: date,
    nights: int,
    people: int,
    status: str = "hold",
    kind: str = "default",
    agent: str | None = None,
    external_id: str | None = None,
    comment: str | None = None,
) -> UUID:
    """Insert a reservation without nights and return its id."""
    reservation = desk.uuid()
    await desk.run(
        """INSERT INTO reservations (id, hotel_id, reservation_client_id, check_in, check_out,
            number_of_people, status, type, agent,
            ota_reservation_id, payment_timing, comment, created_by, updated_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, 1)""",
        reservation,
        hotel,
        client,
        check_in,
        check_in + timedelta(days=nights),
        people,
        status,
        kind,
        agent,
        external_id,
        "prepaid" if external_id else "not_set",
        comment,
    )
    return reservation


async def cancel_nights(desk: Desk, hotel: int, reservation: UUID) -> None:
    """Cancel every night: each gets a fresh mark of its own; rows and prices stay, parking is given back."""
    await desk.run(
        """UPDATE reservation_details SET cancelled = gen_random_uuid(), billable = false, updated_by = 3
        WHERE hotel_id = %s AND reservation_id = %s""",
        hotel,
        reservation,
    )
    await desk.run(
        """UPDATE reservation_parking SET cancelled = gen_random_uuid() WHERE hotel_id = %s
            AND reservation_details_id IN (
                SELECT id FROM reservation_details WHERE hotel_id = %s AND reservation_id = %s)""",
        hotel,
        hotel,
        reservation,
    )
