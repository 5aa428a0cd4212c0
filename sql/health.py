"""How endpoints are, in the database: shared by all workers."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("health.sql")

Status = Literal["healthy", "degraded", "paused", "disabled"]


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint is.

    reason: why it is not healthy; failures: in a row; retry_at: nothing is sent before, None while paused: nothing
    at all; failed_at: the last failure; pace: share of its concurrency and rate that it could take at paced_at.
    """

    status: Status = "healthy"
    reason: str | None = None
    failures: int = 0
    retry_at: datetime | None = None
    failed_at: datetime | None = None
    pace: float = 1.0
    paced_at: datetime | None = None
    last_error: str | None = None


async def examine(conn: AsyncConnection, endpoint_id: int) -> tuple[Health, datetime] | None:
    """How an endpoint is and what time it is, for the caller's transaction alone to change; None: it is no more."""
    row = await (await conn.execute(_QUERIES["examine"], {"endpoint": endpoint_id})).fetchone()
    return (Health(*row[:-1]), row[-1]) if row else None


async def record(conn: AsyncConnection, endpoint_id: int, health: Health, *, answered: bool) -> None:
    """Write how it is. answered: it has just taken something."""
    await conn.execute(_QUERIES["record"], asdict(health) | {"endpoint": endpoint_id, "answered": answered})


async def awaken(conn: AsyncConnection, endpoint_id: int) -> None:
    """Let keys be sent at once that wait because sends of them failed."""
    await conn.execute(_QUERIES["awaken"], {"endpoint": endpoint_id})


async def again(conn: AsyncConnection, endpoint_id: int) -> None:
    """Let the next probe be made at once."""
    await conn.execute(_QUERIES["again"], {"endpoint": endpoint_id})
