"""What the page shows, composed from what the booking engine knows."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from deploy.demo.engine.knowledge import Document, Knowledge
from deploy.demo.engine.measures import Measures

ZONE = ZoneInfo("Asia/Tokyo")
NIGHTS = 42


class Shown(Protocol):
    """What of a booking engine the page shows."""

    knowledge: Knowledge
    measures: Measures
    lines: deque[dict[str, Any]]
    heartbeat: Document | None
    in_step: asyncio.Event


def window() -> list[str]:
    """The nights that the calendar shows: six weeks from today, the hotels' day."""
    today = datetime.now(ZONE).date()
    return [(today + timedelta(days=number)).isoformat() for number in range(NIGHTS)]


def state(engine: Shown) -> dict[str, Any]:
    """Everything: hotels with their room types and nights, booking messages, figures."""
    nights = window()
    hotels = sorted(engine.knowledge.living("hotel"), key=lambda hotel: int(hotel["hotel_id"]))
    return {
        "kind": "state",
        "nights": nights,
        "hotels": [_hotel(engine.knowledge, hotel, nights) for hotel in hotels],
        "lines": list(engine.lines),
        "figures": figures(engine),
    }


def figures(engine: Shown) -> dict[str, Any]:
    """Counters, delays, and how far the first sync is."""
    held = Counter(key[0] for key, held in engine.knowledge.documents.items() if held.body is not None)
    return engine.measures.shown() | {
        "in_step": engine.in_step.is_set(),
        "held": {kind: held[kind] for kind in ("hotel", "room_type", "plan", "booking")},
        "heartbeat": engine.heartbeat
        and {"as_of": engine.heartbeat["as_of"], "behind": engine.heartbeat["behind"]},
    }


def _hotel(knowledge: Knowledge, hotel: Document, nights: list[str]) -> dict[str, Any]:
    number = hotel["hotel_id"]
    types = sorted(knowledge.living("room_type", number), key=lambda one: int(one["room_type_id"]))
    return {
        "id": number,
        "name": hotel["name"],
        "formal_name": hotel["formal_name"],
        "address": hotel["address"],
        "room_types": [_room_type(knowledge, number, one, nights) for one in types],
    }


def _room_type(knowledge: Knowledge, hotel: int, room_type: Document, nights: list[str]) -> dict[str, Any]:
    """A room type with [sellable, available] of each night, None where nothing was said yet."""
    held = knowledge.nights.get((hotel, room_type["room_type_id"]), {})
    found = [held.get(night) for night in nights]
    return {
        "id": room_type["room_type_id"],
        "name": room_type["name"],
        "rooms": room_type["rooms"],
        "capacity": room_type["capacity"],
        "nights": [[night.sellable, night.available] if night else None for night in found],
    }
