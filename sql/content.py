"""Content as it stands in the documents: hotels, room types, plans."""

from collections.abc import Collection
from typing import Any

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("content.sql")


async def hotel_ids(conn: AsyncConnection) -> frozenset[int]:
    """The hotels that there are."""
    rows = await conn.execute(_QUERIES["hotel_ids"])
    return frozenset([hotel_id async for (hotel_id,) in rows])


async def hotels(conn: AsyncConnection, ids: Collection[int] | None) -> list[dict[str, Any]]:
    """Bodies of these hotels' documents, or of all, by id."""
    return await _bodies(conn, "hotels", {"ids": None if ids is None else list(ids)})


async def room_types(conn: AsyncConnection, hotel_id: int) -> list[dict[str, Any]]:
    """Bodies of a hotel's room types, by name."""
    return await _bodies(conn, "room_types", {"hotel": hotel_id})


async def plans(conn: AsyncConnection, hotel_id: int, time_zone: str) -> list[dict[str, Any]]:
    """Bodies of the plans that a hotel offers today, by its clock."""
    return await _bodies(conn, "plans", {"hotel": hotel_id, "time_zone": time_zone})


async def _bodies(conn: AsyncConnection, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    rows = await conn.execute(_QUERIES[query], given)
    return [body async for (body,) in rows]
