"""The PMS's tables as they are, and how single values are written in documents."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow

Key = tuple[str, int, str]
"""Kind, hotel and id, as in messages: ("booking", 1, "<uuid>"), ("plan", 1, "3h"), ("hotel", 1, "")."""
Night = tuple[int, int, str]
"""Hotel, room type and date (ISO)."""
Document = dict[str, Any]
"""A body as JSON decodes it."""


class Rows:
    """The tables that several documents are made from, each read once."""

    def __init__(self, cursor: psycopg.Cursor[DictRow]) -> None:
        self._cursor = cursor
        self.room_types = self.read("SELECT * FROM room_types")
        self.rooms = self.read("SELECT * FROM rooms")
        self.nights = self.read("SELECT * FROM reservation_details")

    def read(self, query: LiteralString) -> list[DictRow]:
        """Return a query's rows as dicts."""
        return self._cursor.execute(query).fetchall()


def sold(room: DictRow) -> bool:
    """Tell whether a room is for guests."""
    return bool(room["for_sale"]) and not room["is_staff_room"]


def yen(amount: Decimal | None) -> int | None:
    """Round to whole yen, halves away from zero."""
    return None if amount is None else int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def iso(value: date | None) -> str | None:
    """Write a date."""
    return None if value is None else value.isoformat()


def moment(value: datetime | None) -> str | None:
    """Write a local time as PostgreSQL writes one in JSON: fractions without trailing zeros."""
    if value is None:
        return None
    text = value.isoformat()
    return text.rstrip("0") if "." in text else text
