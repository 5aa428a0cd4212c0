"""What is sold: plans and exclusions."""

from __future__ import annotations

from datetime import timedelta

from deploy.pms.names import remark
from deploy.pms.simulator.desk import Desk, Flows, NothingToDoError

flows = Flows()


async def _hotel_plan(desk: Desk) -> tuple[int, int]:
    hotel = await desk.hotel()
    plans = await desk.rows("SELECT id FROM plans_hotel WHERE hotel_id = %s ORDER BY id", hotel)
    if not plans:
        raise NothingToDoError
    return hotel, desk.rng.choice(plans)[0]


@flows.flow(0.8)
async def edit_hotel_plan(desk: Desk) -> None:
    """A hotel's plan changes its name, colour, order, season, or is switched off and on."""
    hotel, plan = await _hotel_plan(desk)
    async with desk.transaction():
        if desk.chance(0.4):
            await desk.run(
                "UPDATE plans_hotel SET is_active = NOT is_active, updated_by = 5 WHERE hotel_id = %s AND id = %s",
                hotel,
                plan,
            )
        else:
            await desk.run(
                """UPDATE plans_hotel SET description = %s, color = %s, display_order = %s, available_from = %s,
                    available_until = %s, updated_by = 5
                WHERE hotel_id = %s AND id = %s""",
                remark(desk.rng) if desk.chance(0.7) else None,
                f"#{desk.rng.randrange(2**24):06X}" if desk.chance(0.8) else None,
                desk.rng.choice((None, 1, 2, 3)),
                desk.today - timedelta(days=desk.rng.randint(0, 90)) if desk.chance(0.5) else None,
                desk.today + timedelta(days=desk.rng.randint(1, 400)) if desk.chance(0.5) else None,
                hotel,
                plan,
            )


@flows.flow(0.3)
async def add_hotel_plan(desk: Desk) -> None:
    """A plan of the hotel's own, or its variant of a global one with fields left to that."""
    hotel = await desk.hotel()
    globals_ = await desk.rows("SELECT id FROM plans_global ORDER BY id")
    variant = desk.rng.choice(globals_)[0] if desk.chance(0.5) and globals_ else None
    async with desk.transaction():
        (plan,) = await desk.row(
            """INSERT INTO plans_hotel (hotel_id, plans_global_id, name, plan_type, color,
                plan_type_category_id, created_by, updated_by)
            VALUES (%s, %s, %s, %s, '#123456', 2, 5, 5) RETURNING id""",
            hotel,
            variant,
            f"限定プラン {desk.rng.randrange(1000)}" if variant is None or desk.chance(0.4) else None,
            desk.rng.choice(("per_room", "per_person")) if variant is None or desk.chance(0.4) else None,
        )
        await desk.run(
            """INSERT INTO plans_rates (hotel_id, plans_hotel_id, adjustment_type, adjustment_value,
                tax_type_id, tax_rate, date_start, created_by, updated_by)
            VALUES (%s, %s, 'base_rate', %s, 3, 0.1, %s, 5, 5)""",
            hotel,
            plan,
            desk.rng.randint(40, 200) * 100,
            desk.today - timedelta(days=1),
        )


@flows.flow(0.2)
async def delete_hotel_plan(desk: Desk) -> None:
    """A plan that no night names is deleted."""
    hotel, plan = await _hotel_plan(desk)
    async with desk.transaction():
        deleted = await desk.run(
            """DELETE FROM plans_hotel p WHERE hotel_id = %s AND id = %s AND NOT EXISTS (
                SELECT FROM reservation_details d WHERE d.hotel_id = p.hotel_id AND d.plans_hotel_id = p.id)""",
            hotel,
            plan,
        )
    if not deleted:
        raise NothingToDoError


@flows.flow(0.3)
async def exclude_global_plan(desk: Desk) -> None:
    """A hotel stops offering a global plan, or offers it again."""
    hotel = await desk.hotel()
    globals_ = await desk.rows("SELECT id FROM plans_global ORDER BY id")
    if not globals_:
        raise NothingToDoError
    plan = desk.rng.choice(globals_)[0]
    async with desk.transaction():
        back = await desk.run(
            "DELETE FROM hotel_plan_exclusions WHERE hotel_id = %s AND global_plan_id = %s", hotel, plan
        )
        if not back:
            await desk.run(
                "INSERT INTO hotel_plan_exclusions (hotel_id, global_plan_id) VALUES (%s, %s)", hotel, plan
            )


@flows.flow(0.2)
async def edit_global_plan(desk: Desk) -> None:
    """A plan of all hotels changes for all of them; rarely a new one appears, or an unused one goes."""
    async with desk.transaction():
        dice = desk.rng.random()
        if dice < 0.15:
            await desk.run(
                """INSERT INTO plans_global (name, description, plan_type, created_by, updated_by)
                VALUES (%s, NULL, 'per_person', 5, 5)""",
                f"全館プラン {desk.rng.getrandbits(32):08x}",
            )
        elif dice < 0.25:
            await desk.run(
                """DELETE FROM plans_global WHERE id = (
                    SELECT g.id FROM plans_global g WHERE NOT EXISTS (
                        SELECT FROM reservation_details d WHERE d.plans_global_id = g.id)
                    AND NOT EXISTS (SELECT FROM plans_hotel h WHERE h.plans_global_id = g.id)
                    ORDER BY id LIMIT 1)"""
            )
        else:
            await desk.run(
                """UPDATE plans_global SET description = %s, color = %s, updated_by = 5
                WHERE id = (SELECT id FROM plans_global ORDER BY md5(id || %s) LIMIT 1)""",
                remark(desk.rng),
                f"#{desk.rng.randrange(2**24):06X}",
                str(desk.rng.random()),
            )
