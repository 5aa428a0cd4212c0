"""The truth about rooms and prices, counted in Python from the PMS's plain rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from deploy.pms.prices import Rate, price
from tests.support.api import Api


@dataclass(frozen=True)
class Room:
    """A room that is sold to guests, and the nights on which somebody has it."""

    type_id: int
    capacity: int
    taken: frozenset[date]

    def free(self, first: date, until: date) -> bool:
        """Whether nobody has it on any night of [first, until)."""
        return not any(first <= night < until for night in self.taken)


async def rooms(api: Api, hotel_id: int) -> list[Room]:
    """The rooms of a hotel that are sold to guests."""
    taken: dict[int, set[date]] = {}
    for room_id, night, cancelled in await api.rows(
        "select room_id, date, cancelled from reservation_details where hotel_id = %s", hotel_id
    ):
        if cancelled is None:
            taken.setdefault(room_id, set()).add(night)
    return [
        Room(type_id, capacity, frozenset(taken.get(room_id, ())))
        for room_id, type_id, capacity, for_sale, staff in await api.rows(
            "select id, room_type_id, capacity, for_sale, is_staff_room from rooms where hotel_id = %s", hotel_id
        )
        if for_sale and not staff
    ]


async def nightly(api: Api, hotel_id: int, plan_key: str, night: date) -> int | None:
    """Yen for a night under a plan by the reference that the seed prices its stays by; None without a rate."""
    of_chain, _, own = plan_key.partition("h")
    rows = await api.rows(
        "select adjustment_type, adjustment_value, condition_type, condition_value, date_start, date_end,"
        " tax_type_id, tax_rate from plans_rates"
        " where plans_global_id = %s and plans_hotel_id is null or hotel_id = %s and plans_hotel_id = %s",
        int(of_chain or 0),
        hotel_id,
        int(own or 0),
    )
    rates = [Rate(kind, Decimal(value), *rest) for kind, value, *rest in rows]
    return price(rates, night) if any(rate.holds(night) for rate in rates) else None


def calendar(found: Iterable[Room], first: date, until: date) -> dict[tuple[int, date], tuple[int, int]]:
    """Room type and night → rooms that can be sold, and those that are taken."""
    found = list(found)
    return {
        (type_id, night): (
            sum(room.type_id == type_id for room in found),
            sum(room.type_id == type_id and night in room.taken for room in found),
        )
        for type_id in {room.type_id for room in found}
        for night in days(first, until)
    }


def answered(body: dict[str, Any]) -> dict[tuple[int, date], tuple[int, int]]:
    """What a calendar's answer says, in the same shape."""
    nights = {}
    for room_type in body["room_types"]:
        for one in room_type["ranges"]:
            assert one["available"] == max(0, one["sellable"] - one["occupied"])
            for night in days(date.fromisoformat(one["from"]), date.fromisoformat(one["until"])):
                nights[room_type["room_type_id"], night] = (one["sellable"], one["occupied"])
    return nights


def days(first: date, until: date) -> list[date]:
    """Every day of [first, until)."""
    return [first + timedelta(days=n) for n in range((until - first).days)]
