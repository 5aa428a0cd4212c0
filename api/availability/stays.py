"""Whether guests can stay, where, at what price, and if not, why: pure.

Guests are spread over the rooms as evenly as they go: five in two rooms are a party of three and one of two. Each
party has one and the same room for all nights, so a stay can be sold out although every night has a room left.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Literal

from sql.pms.prices import Night
from sql.pms.stays import Stock

Code = Literal["no_rooms", "too_small", "sold_out", "no_room_for_all_nights", "not_enough_rooms"]


def parties(guests: int, rooms: int) -> list[int]:
    """How many people sleep in each room, the most first."""
    each, more = divmod(guests, rooms)
    return [each + 1] * more + [each] * (rooms - more)


def fit(sizes: Sequence[int], capacities: Iterable[int]) -> bool:
    """Whether each party finds a room; sizes: descending."""
    largest = sorted(capacities, reverse=True)
    return len(largest) >= len(sizes) and all(room >= size for size, room in zip(sizes, largest, strict=False))


def why_not(stock: Stock, sizes: Sequence[int]) -> Code | None:
    """Why these parties cannot stay in rooms of one type; None where they can."""
    if fit(sizes, stock.free):
        return None
    if not stock.sellable:
        return "no_rooms"
    if (stock.capacity or 0) < sizes[0]:
        return "too_small"
    if stock.full:
        return "sold_out"
    return "not_enough_rooms" if stock.free else "no_room_for_all_nights"


def room_type(stock: Stock, sizes: Sequence[int]) -> dict[str, Any]:
    """What the answer says of a room type."""
    code = why_not(stock, sizes)
    return {
        "room_type_id": stock.room_type_id,
        "name": stock.name,
        "capacity": stock.capacity,
        "sellable": stock.sellable,
        "free": len(stock.free),
        "fitting": sum(capacity >= sizes[0] for capacity in stock.free),
        "bookable": code is None,
        "reasons": [] if code is None else [{"code": code, "nights": stock.full if code == "sold_out" else []}],
    }


def suggestion(stocks: Iterable[Stock], sizes: Sequence[int]) -> list[dict[str, int]]:
    """A room type for each party: one for all where that can be, and the smallest rooms that do; empty if none."""
    stocks = list(stocks)
    alike = [stock for stock in stocks if fit(sizes, stock.free)]
    if alike:
        best = min(alike, key=lambda stock: (stock.capacity, stock.room_type_id))
        return [_party(best.room_type_id, size) for size in sizes]
    left = sorted((capacity, stock.room_type_id) for stock in stocks for capacity in stock.free)
    chosen = []
    for size in sizes:
        room = next((room for room in left if room[0] >= size), None)
        if room is None:
            return []
        left.remove(room)
        chosen.append(_party(room[1], size))
    return chosen


def _party(room_type_id: int, people: int) -> dict[str, int]:
    return {"room_type_id": room_type_id, "number_of_people": people}


def offers(nights: Iterable[Night], check_in: date, check_out: date, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """What the parties pay under each plan that has a price on any night; nights: by plan and date."""
    wanted = [check_in + timedelta(days=n) for n in range((check_out - check_in).days)]
    plans = groupby(nights, key=lambda night: night.plan_key)
    return [_offer(key, {night.date: night for night in priced}, wanted, sizes) for key, priced in plans]


def _offer(
    plan_key: str, priced: Mapping[date, Night], wanted: Sequence[date], sizes: Sequence[int]
) -> dict[str, Any]:
    closed = [day for day in wanted if day in priced and not priced[day].on_sale]
    unpriced = [day for day in wanted if day not in priced]
    reasons = [
        {"code": code, "nights": days} for code, days in (("not_on_sale", closed), ("no_price", unpriced)) if days
    ]
    sold = [] if reasons else [_night(priced[day], sizes) for day in wanted]
    total, net = sum(night["total"] for night in sold), sum(night["net_total"] for night in sold)
    return {
        "plan_key": plan_key,
        "plan_type": next(iter(priced.values())).plan_type,
        "on_sale": not reasons,
        "total": total if sold else None,
        "net_total": net if sold else None,
        "tax_total": total - net if sold else None,
        "nights": sold,
        "reasons": reasons,
    }


def _night(night: Night, sizes: Sequence[int]) -> dict[str, Any]:
    return {
        "date": night.date,
        "price": night.price.price,
        "net_price": night.price.net_price,
        "total": sum(night.revenue(size) for size in sizes),
        "net_total": sum(net_revenue(night, size) for size in sizes),
    }


def net_revenue(night: Night, people: int) -> int:
    """What a room with so many people pays for the night, in yen without tax."""
    return night.price.net_price * (people if night.plan_type == "per_person" else 1)
