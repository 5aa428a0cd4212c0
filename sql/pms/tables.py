"""Which of the PMS's tables and columns Roomwire follows, and how its partitions are named."""

from collections.abc import Mapping
from datetime import date

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("pms/tables.sql")

SCHEMA = "public"
FOLLOWED: Mapping[str, frozenset[str]] = {
    "hotels": frozenset({"id"}),
    "room_types": frozenset({"hotel_id"}),
    "rooms": frozenset({"hotel_id", "id"}),
    "plans_global": frozenset({"id"}),
    "plans_hotel": frozenset({"hotel_id"}),
    "hotel_plan_exclusions": frozenset({"hotel_id"}),
    "plans_rates": frozenset({"id", "hotel_id", "plans_hotel_id"}),
    "clients": frozenset({"id", "name", "name_kana", "name_kanji", "email", "phone"}),
    "reservations": frozenset({"hotel_id", "id"}),
    "reservation_details": frozenset({"hotel_id", "id", "reservation_id", "date", "room_id", "cancelled"}),
    "reservation_clients": frozenset({"hotel_id", "id", "reservation_details_id"}),
    "reservation_addons": frozenset({"hotel_id", "id", "reservation_detail_id"}),
}
"""Root table of SCHEMA → the columns that tell which keys a change makes dirty."""


async def leaves(conn: AsyncConnection) -> dict[tuple[str, str], str]:
    """(schema, leaf) → root, for every leaf partition of a followed table."""
    rows = await conn.execute(_QUERIES["leaves"], {"tables": list(FOLLOWED)})
    return {(schema, leaf): root async for schema, leaf, root in rows}


async def noise(conn: AsyncConnection) -> list[tuple[str, str]]:
    """(schema, table) of every table that need not be followed, to be filtered out by the server."""
    rows = await conn.execute(_QUERIES["noise"], {"tables": list(FOLLOWED)})
    return [(schema, table) async for schema, table in rows]


async def today(conn: AsyncConnection, time_zone: str) -> date:
    """The day it is in the hotels' time zone, by the database's clock."""
    row = await (await conn.execute(_QUERIES["today"], {"time_zone": time_zone})).fetchone()
    assert row is not None  # a select of one expression gives one row
    day: date = row[0]
    return day
