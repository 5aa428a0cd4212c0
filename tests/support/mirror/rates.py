"""What a receiver makes of a plan's rates: the price of a night, looked up as the message contract says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

import orjson

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def by_night(body: dict[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Rates with `nights` in place of periods: [price, net_price, cancel_fee] of each wanted date.

    Where no entry covers a date, it gets None: it is not sold. Where several do, it gets all of theirs in a list,
    which equals no truth.
    """
    nights = _looked_up(orjson.dumps(body["periods"]), tuple(wanted))
    return {name: value for name, value in body.items() if name != "periods"} | {"nights": nights}


@lru_cache(maxsize=256)
def _looked_up(periods: bytes, wanted: tuple[str, ...]) -> dict[str, Any]:
    """What these periods say of these dates, looked up once: tests ask again and again, and rates seldom change."""
    entries = orjson.loads(periods)
    told = {night: _prices(entries, night) for night in wanted}
    return {night: found[0] if len(found) == 1 else found or None for night, found in told.items()}


def _prices(periods: list[dict[str, Any]], night: str) -> list[list[int]]:
    day = date.fromisoformat(night)
    return [
        [entry["price"], entry["net_price"], entry["cancel_fee"]]
        for period in periods
        if (period["from"] is None or period["from"] <= night)
        and (period["until"] is None or night < period["until"])
        for entry in period["prices"]
        if day.month in entry["months"] and _WEEKDAYS[day.weekday()] in entry["weekdays"]
    ]
