"""What operators decide of an endpoint, in the database."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from sql import health
from sql.delivery import Target
from sql.endpoints import Position
from sql.queries import load

_QUERIES = load("control.sql")
_WITHDRAW = _QUERIES["withdraw"].format(flying=load("delivery.sql")["flying"])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it was set up. headers: values are encrypted; filling: its first sync is not marked yet.

    revision: rises with every change of it.
    """

    id: int
    name: str
    url: str
    format: Literal["standard-webhooks", "cache-refresh"]
    ca: str | None
    headers: dict[str, str]
    status: str
    hotels: list[int] | None
    types: list[str] | None
    bookings: str
    guest_data: bool
    max_bytes: int
    concurrency: int
    rate_per_second: float
    heartbeat_seconds: int
    filling: bool
    revision: int


class Change(NamedTuple):
    """One change of an endpoint's status, and why."""

    at: datetime
    before: str
    status: str
    reason: str | None


async def find(conn: AsyncConnection, name: str) -> Endpoint | None:
    """The endpoint of this name."""
    async with conn.cursor(row_factory=class_row(Endpoint)) as cursor:
        await cursor.execute(_QUERIES["find"], {"name": name})
        return await cursor.fetchone()


async def target(conn: AsyncConnection, name: str) -> Target | None:
    """Where messages to the endpoint of this name go, and how."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_QUERIES["target"], {"name": name})
        row = await cursor.fetchone()
    return Target(**{one.name: row[one.name] for one in fields(Target)}) if row else None


async def change(conn: AsyncConnection, settings: Mapping[str, Any]) -> None:
    """Set an endpoint up otherwise: id, and all that can be changed. Needs `endpoints.lock`."""
    await conn.execute(_QUERIES["change"], {**settings, "headers": Jsonb(settings["headers"])})


async def withdraw(
    conn: AsyncConnection, endpoint_id: int, after: Position, size: int
) -> tuple[Position | None, int]:
    """Delete of the next `size` marks those of what an endpoint is told of no more.

    In a transaction of the caller's, in which nobody else changes the endpoint from here on. Returns where that
    ended, None at the end, and how many were deleted, or are as soon as their send ends.
    """
    await conn.execute(_QUERIES["hold"], {"endpoint": endpoint_id})
    kind, hotel, number = after
    given = {"endpoint": endpoint_id, "kind": kind, "hotel": hotel, "id": number, "size": size}
    row = await (await conn.execute(_WITHDRAW, given)).fetchone()
    return (Position(*row[:3]), row[3]) if row else (None, 0)


async def changes(conn: AsyncConnection, endpoint_id: int, most: int = 100) -> list[Change]:
    """The latest changes of an endpoint's status, the newest first; a hundred are kept."""
    rows = await conn.execute(_QUERIES["changes"], {"endpoint": endpoint_id, "most": most})
    return [Change(*row) for row in await rows.fetchall()]


async def pause(conn: AsyncConnection, name: str, reason: str) -> bool:
    """Send nothing to an endpoint until it is resumed; False where there is none, or it is disabled."""
    return (await conn.execute(_QUERIES["pause"], {"name": name, "reason": reason})).rowcount == 1


async def resume(conn: AsyncConnection, name: str) -> bool:
    """Send to an endpoint again, at once; False where there is none, or it is disabled."""
    row = await (await conn.execute(_QUERIES["resume"], {"name": name})).fetchone()
    if row is not None:
        await health.awaken(conn, row[0])
    return row is not None
