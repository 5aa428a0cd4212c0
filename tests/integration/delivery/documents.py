"""Writes documents as the projector does: under its lock, in a transaction, marking who is behind."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from outbox.messages.examples import BOOKING, HOTEL, PLAN, RATES, ROOM_TYPE
from sql.projection import MARKS
from sql.queries import load

_QUERIES = load(str(Path(__file__).with_name("documents.sql")))
_WRITE = _QUERIES["write"].format(marks=MARKS)
_WRITE_MANY = _QUERIES["write_many"].format(marks=MARKS)

Night = tuple[date, int, int]
"""A date, how many rooms can be sold, and how many of them are taken."""


class Documents:
    """What the projector would have written, at a test's word."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn

    async def hotel(self, hotel: int, **fields: Any) -> int:
        """Write a hotel; returns its version."""
        return await self.write("hotel", hotel, "", HOTEL | {"hotel_id": hotel} | fields)

    async def room_type(self, hotel: int, number: int, **fields: Any) -> int:
        """Write a room type; returns its version."""
        body = ROOM_TYPE | {"hotel_id": hotel, "room_type_id": number} | fields
        return await self.write("room_type", hotel, str(number), body)

    async def plan(self, hotel: int, key: str, **fields: Any) -> int:
        """Write a plan; returns its version."""
        return await self.write("plan", hotel, key, PLAN | {"hotel_id": hotel, "plan_key": key} | fields)

    async def rates(self, hotel: int, key: str, **fields: Any) -> int:
        """Write what a plan costs; returns its version."""
        return await self.write("rates", hotel, key, RATES | {"hotel_id": hotel, "plan_key": key} | fields)

    async def booking(self, hotel: int, number: str, *, own: bool = False, **fields: Any) -> int:
        """Write a booking; returns its version."""
        body = BOOKING | {"hotel_id": hotel, "booking_id": number} | fields
        return await self.write("booking", hotel, number, body, own=own)

    async def bookings(self, hotel: int, count: int, *, first: int = 0) -> None:
        """Write many bookings at once."""
        given = {"hotel": hotel, "count": count, "first": first, "body": Jsonb(BOOKING)}
        async with self.conn.transaction():
            await self.conn.execute(_QUERIES["share"])
            await self.conn.execute(_WRITE_MANY, given)

    async def availability(self, hotel: int, room_type: int, nights: Sequence[Night]) -> int:
        """Write nights; returns their version."""
        return await self.write("availability", hotel, str(room_type), {}, nights=nights)

    async def delete(self, kind: str, hotel: int, number: str) -> int:
        """Leave a tombstone; returns its version."""
        return await self.write(kind, hotel, number, None)

    async def write(
        self,
        kind: str,
        hotel: int,
        number: str,
        body: Mapping[str, Any] | None,
        *,
        own: bool = False,
        nights: Sequence[Night] = (),
        lock: bool = True,
    ) -> int:
        """Write any document, in a transaction or in the caller's; returns its version.

        Without `lock` it is what the projector must not do: endpoints may be added meanwhile.
        """
        key = {"kind": kind, "hotel": hotel, "id": number}
        async with self.conn.transaction():
            if lock:
                await self.conn.execute(_QUERIES["share"])
            await self.conn.execute(_QUERIES["stub"], key)
            old = await self.value(_QUERIES["lock"], key)
            dates, sellable, occupied = ([night[field] for night in nights] for field in range(3))
            given = {
                "body": None if body is None else Jsonb(body),
                "own": own,
                "old": old,
                "dates": dates,
                "sellable": sellable,
                "occupied": occupied,
            }
            await self.conn.execute(_WRITE, key | given)
            return int(await self.value(_QUERIES["lock"], key))

    async def value(self, query: Any, given: Mapping[str, Any] | None = None) -> Any:
        """The only value of a query's only row."""
        row = await (await self.conn.execute(query, given)).fetchone()
        assert row is not None
        return row[0]


def booking_id(number: int) -> str:
    """A uuid that is the same for the same number."""
    return str(uuid.UUID(int=number << 96 | number))


def nights(first: date, taken: Sequence[int], *, rooms: int = 10) -> list[Night]:
    """Consecutive nights, `taken` telling how many rooms each has occupied."""
    return [(first + timedelta(days=n), rooms, count) for n, count in enumerate(taken)]
