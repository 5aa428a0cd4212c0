"""The calendar that engines read: availability as the documents have it, and how fresh that is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import AsyncConnection
from psycopg.rows import class_row

from sql.queries import load

_QUERIES = load("calendar.sql")
_LOOK = _QUERIES["look"].format(freshness=_QUERIES["freshness"])


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the documents follow the PMS.

    committed_at: what the PMS had committed by then is in them, None before anything was read; now: the database's
    clock; pending: hotels of which durable work is left, None among them for every hotel: they may be older.
    """

    committed_at: datetime | None
    now: datetime
    pending: frozenset[int | None]


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot: how fresh the documents are, and hotel → room type → version of its availability."""

    standing: Standing
    versions: Mapping[int, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights of a room type that its document knows. days: ordinals, 1 = 0001-01-01, ascending."""

    room_type_id: int
    version: int
    days: list[int]
    sellable: list[int]
    occupied: list[int]


async def standing(conn: AsyncConnection, slot: str) -> Standing:
    """How far the documents follow the PMS."""
    row = await (await conn.execute(_QUERIES["freshness"], {"slot": slot})).fetchone()
    assert row is not None  # its left join keeps the one row there is
    return Standing(row[0], row[1], frozenset(row[2]))


async def look(conn: AsyncConnection, slot: str, hotels: Collection[int]) -> Look:
    """Read the versions of some hotels, one at least."""
    rows = await (await conn.execute(_LOOK, {"slot": slot, "hotels": list(hotels)})).fetchall()
    versions = {hotel: dict(zip(types, numbers, strict=True)) for *_, hotel, types, numbers in rows}
    committed_at, now, pending, *_ = rows[0]
    return Look(Standing(committed_at, now, frozenset(pending)), versions)


async def nights(
    conn: AsyncConnection, hotel_id: int, first: date, until: date, room_type_id: int | None
) -> list[Nights]:
    """The nights of [first, until), of one room type or of all that the hotel has, by id."""
    values = {"hotel": hotel_id, "first": first, "until": until, "room_type": room_type_id}
    async with conn.cursor(row_factory=class_row(Nights)) as cursor:
        await cursor.execute(_QUERIES["nights"], values)
        return await cursor.fetchall()
