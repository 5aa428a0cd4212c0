"""For how much it is sold: the rates of the hotels' plans and of those of all hotels."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

from deploy.pms.prices import MONTHS, WEEKDAYS
from deploy.pms.simulator.desk import Desk, Flows, NothingToDoError

flows = Flows()
TAXES = (
    (3, Decimal("0.1")),
    (3, Decimal("0.1")),
    (2, Decimal("0.08")),
    (1, Decimal(0)),
    (3, Decimal(10)),
    (None, None),
)
"""Type and rate, a share or percent, as staff of different years have entered them."""


async def _rate(desk: Desk) -> int:
    """Any rate."""
    rates = await desk.rows("SELECT id FROM plans_rates ORDER BY id")
    if not rates:
        raise NothingToDoError
    return int(desk.rng.choice(rates)[0])


async def _plan(desk: Desk) -> tuple[int | None, int | None, int | None]:
    """Hotel, global plan and hotel plan of a rate: mostly of a hotel's own plan."""
    if desk.chance(0.3):
        globals_ = await desk.rows("SELECT id FROM plans_global ORDER BY id")
        if globals_:
            return None, desk.rng.choice(globals_)[0], None
    plans = await desk.rows("SELECT hotel_id, id FROM plans_hotel ORDER BY hotel_id, id")
    if not plans:
        raise NothingToDoError
    hotel, plan = desk.rng.choice(plans)
    return hotel, None, plan


def _condition(desk: Desk) -> tuple[str, str | None]:
    """When a rate holds; now and then in words that nobody understands."""
    kind = desk.rng.choice(("no_restriction", "no_restriction", "day_of_week", "month"))
    if kind == "no_restriction":
        return kind, None
    if desk.chance(0.1):
        return kind, desk.rng.choice((None, "", "friday", '["Friday"]', '["friday"', "{}", '["holiday"]'))
    names = WEEKDAYS if kind == "day_of_week" else MONTHS
    return kind, json.dumps(desk.rng.sample(names, desk.rng.randint(1, 4)))


def _season(desk: Desk) -> tuple[date, date | None]:
    start = desk.today + timedelta(days=desk.rng.randint(-200, 400))
    return start, start + timedelta(days=desk.rng.randint(0, 300)) if desk.chance(0.5) else None


@flows.flow(0.8)
async def edit_rate(desk: Desk) -> None:
    """A rate of some plan changes; what was booked keeps its price."""
    rate = await _rate(desk)
    async with desk.transaction():
        if desk.chance(0.5):
            await desk.run(
                "UPDATE plans_rates SET adjustment_value = adjustment_value + %s, updated_by = 5 WHERE id = %s",
                desk.rng.choice((-100, Decimal("-2.5"), 1, 100, 150)),
                rate,
            )
        else:
            await desk.run(
                """UPDATE plans_rates SET condition_type = %s, condition_value = %s, date_start = %s, date_end = %s,
                    updated_by = 5
                WHERE id = %s AND adjustment_type <> 'base_rate'""",
                *_condition(desk),
                *_season(desk),
                rate,
            )


@flows.flow(0.5)
async def add_rate(desk: Desk) -> None:
    """A season's price, a surcharge, a discount or a fee, of one hotel's plan or of all hotels'."""
    owner = await _plan(desk)
    kind, low, high = desk.rng.choice((("base_rate", 20, 60), ("percentage", -20, 40), ("flat_fee", -5, 30)))
    amount = desk.rng.randint(low, high) * (1 if kind == "percentage" else 50)
    tax_type, tax_rate = desk.rng.choice(TAXES)
    async with desk.transaction():
        await desk.run(
            """INSERT INTO plans_rates (hotel_id, plans_global_id, plans_hotel_id, adjustment_type,
                adjustment_value, include_in_cancel_fee, tax_type_id, tax_rate, condition_type, condition_value,
                date_start, date_end, created_by, updated_by)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 5, 5)""",
            *owner,
            kind,
            amount,
            desk.chance(0.4),
            tax_type,
            tax_rate,
            *_condition(desk),
            *_season(desk),
        )


@flows.flow(0.4)
async def delete_rate(desk: Desk) -> None:
    """A rate is deleted; if it was the last base rate, the plan can no longer be sold."""
    rate = await _rate(desk)
    async with desk.transaction():
        await desk.run("DELETE FROM plans_rates WHERE id = %s", rate)


@flows.flow(0.2)
async def move_rate(desk: Desk) -> None:
    """A rate that was entered under the wrong plan, perhaps of another hotel, is put under the right one."""
    rate, owner = await _rate(desk), await _plan(desk)
    async with desk.transaction():
        await desk.run(
            """UPDATE plans_rates SET hotel_id = %s, plans_global_id = %s, plans_hotel_id = %s, updated_by = 5
            WHERE id = %s""",
            *owner,
            rate,
        )
