"""The terms of those nights of a booking that are new or under another plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import AsyncConnection

from api.bookings.change_models import ChangeAsked
from api.prices.tariffs import Tariffs
from api.request.problems import Fault, Problem
from sql.pms.plans import Plan
from sql.pms.prices import Price


@dataclass(frozen=True, slots=True)
class Terms:
    """Plans by key, and the price of a night by plan and date."""

    plans: Mapping[str, Plan]
    prices: Mapping[tuple[str, date], Price]


async def terms(
    conn: AsyncConnection,
    prices: Tariffs,
    hotel_id: int,
    asked: ChangeAsked,
    wanted: Mapping[int, Sequence[date]],
) -> Terms:
    """The terms of the wanted nights: which room of those asked for → dates.

    Raises:
        Problem: `unknown_plan` or `plan_not_on_sale`.
        UnpricedError: the prices have to be made first.
    """
    keys = {asked.rooms[n].plan_key for n, dates in wanted.items() if dates}
    if not keys:
        return Terms({}, {})
    tariff = await prices.at_hand(conn, hotel_id, asked.check_in, asked.check_out)
    nights = tariff.prices.nights(keys, asked.check_in, asked.check_out)
    found = {(night.plan_key, night.date): night.price for night in nights if night.on_sale}
    for n, dates in wanted.items():
        key, place = asked.rooms[n].plan_key, f"/rooms/{n}/plan_key"
        if dates and key not in tariff.plans:
            raise Problem("unknown_plan", faults=[Fault(place, "The hotel has no such plan.")])
        closed = [day for day in dates if (key, day) not in found]
        if closed:
            raise Problem("plan_not_on_sale", faults=[Fault(place, f"It is not on sale on {closed[0]}.")])
    return Terms(tariff.plans, found)
