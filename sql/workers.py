"""Workers in the database: who delivers, until when others wait for him, and giving back what he lost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from sql.endpoints import Position
from sql.queries import load

_QUERIES = load("workers.sql")
_FORGET = _QUERIES["forget"].format(sent=load("delivery.sql")["sent"])


class Roster(NamedTuple):
    """Who delivers beside a worker, and the roster that their sends keep to.

    fence: another one after every crash of the server, and what committed without waiting for the disk may be gone.
    """

    now: datetime
    fence: UUID
    others: dict[UUID, datetime | None]


async def renew(
    conn: AsyncConnection, worker: UUID, *, name: str, lease: float, kept: datetime | None = None
) -> Roster:
    """Let a worker live for another `lease` seconds, its sends keeping to the roster as of `kept`."""
    given = {"worker": worker, "name": name, "lease": lease, "kept": kept}
    row = await (await conn.execute(_QUERIES["renew"], given)).fetchone()
    assert row is not None  # it is inserted or updated
    now, fence, ids, times = row
    return Roster(now, fence, dict(zip(ids, times, strict=True)))


async def leave(conn: AsyncConnection, worker: UUID) -> None:
    """End a worker's life: what it still has is others' from now on."""
    await conn.execute(_QUERIES["leave"], {"worker": worker})


async def forget(
    conn: AsyncConnection, endpoint_id: int, tokens: Sequence[UUID], after: Position, *, size: int = 2_000
) -> Position | None:
    """Give back what was claimed with these tokens among the next `size` keys; returns where that ended."""
    kind, hotel, number = after
    given: dict[str, Any] = {"endpoint": endpoint_id, "tokens": list(tokens), "size": size}
    given |= {"kind": kind, "hotel": hotel, "id": number}
    row = await (await conn.execute(_FORGET, given)).fetchone()
    if row and row[3]:
        return await forget(conn, endpoint_id, tokens, after, size=size)
    return Position(*row[:3]) if row else None
