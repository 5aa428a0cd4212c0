"""The oracle: what a booking engine should know, worked out from the PMS's raw rows.

Nothing here shares a query, a join or a rounding with the product: tables are read whole, as they are, in one
snapshot, and everything else happens in Python.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.support.truth.bookings import BOOKINGS_KEPT, bookings
from tests.support.truth.content import hotel, plans, room_types
from tests.support.truth.rates import rates
from tests.support.truth.rows import Document, Key, Night, Rows, sold

__all__ = ["BOOKINGS_KEPT", "HORIZON_NIGHTS", "Document", "Key", "Night", "Truth", "truth"]

HORIZON_NIGHTS = 730


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is true on a day.

    Attributes:
        today: The hotel-local day.
        documents: Hotels, room types, plans, rates (the prices of many nights) and bookings.
        nights: (sellable, occupied) for every night from yesterday to today + 730.
    """

    today: date
    documents: dict[Key, Document]
    nights: dict[Night, tuple[int, int]]


def truth(source: str | psycopg.Connection[Any], today: date) -> Truth:
    """Read the PMS in one REPEATABLE READ transaction and work out every document and every night.

    Args:
        source: A connection string, or a connection to the PMS without an open transaction.
        today: The hotel-local day.
    """
    if isinstance(source, str):
        with psycopg.connect(source) as conn:
            return truth(conn, today)
    with source.transaction(), source.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows = Rows(cursor)
        documents: dict[Key, Document] = {}
        for row in rows.read("SELECT * FROM hotels"):
            documents["hotel", row["id"], ""] = hotel(row)
        documents |= room_types(rows)
        offered = plans(rows)
        documents |= offered
        documents |= rates(rows, offered, today)
        documents |= bookings(rows, today)
        return Truth(today, documents, _nights(rows, today))


def _nights(rows: Rows, today: date) -> dict[Night, tuple[int, int]]:
    """Count the rooms of each type that are for guests, and those of them taken, for every night of the horizon."""
    types = {(room["hotel_id"], room["id"]): room["room_type_id"] for room in rows.rooms if sold(room)}
    sellable: dict[tuple[int, int], int] = defaultdict(int)
    for (hotel_id, _), room_type in types.items():
        sellable[hotel_id, room_type] += 1
    taken: dict[Night, set[int]] = defaultdict(set)
    for night in rows.nights:
        room_type = types.get((night["hotel_id"], night["room_id"]))
        if night["cancelled"] is None and room_type is not None:
            taken[night["hotel_id"], room_type, night["date"].isoformat()].add(night["room_id"])
    dates = [(today + timedelta(days=offset)).isoformat() for offset in range(-1, HORIZON_NIGHTS + 1)]
    return {
        (row["hotel_id"], row["id"], day): (
            sellable[row["hotel_id"], row["id"]],
            len(taken.get((row["hotel_id"], row["id"], day), ())),
        )
        for row in rows.room_types
        for day in dates
    }
