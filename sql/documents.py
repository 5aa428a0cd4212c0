"""Looking at documents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("documents.sql")


@dataclass(frozen=True, slots=True)
class Document:
    """What a booking engine should know of a key. body: None where the thing is gone."""

    version: int
    body: dict[str, Any] | None
    committed_at: datetime | None


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many documents live, by kind."""
    return {kind: number async for kind, number in await conn.execute(_QUERIES["counts"])}
