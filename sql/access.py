"""API keys, users, and the audit log in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from sql.queries import load

_QUERIES = load("access.sql")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as it is checked. digest: SHA-256 of the whole key."""

    client: str
    digest: bytes
    scopes: list[str]
    hotels: list[int] | None
    addresses: list[str] | None
    requests_per_minute: int
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyOverview:
    """A key as its operator sees it."""

    id: str
    client: str
    scopes: list[str]
    hotels: list[int] | None
    addresses: list[str] | None
    requests_per_minute: int
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class User(NamedTuple):
    """Which PMS client an engine's user is."""

    client_id: UUID
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Audited:
    """One line of the audit log; took_ms: from the request's headers to its answer."""

    at: datetime
    request_id: str
    source: str | None
    key_id: str | None
    user_id: str | None
    address: str | None
    method: str
    path: str
    hotel_id: int | None
    status: int
    code: str | None
    took_ms: int


async def key(conn: AsyncConnection, key_id: str) -> KeyRow | None:
    """The key of this id."""
    async with conn.cursor(row_factory=class_row(KeyRow)) as cursor:
        await cursor.execute(_QUERIES["key"], {"id": key_id})
        return await cursor.fetchone()


async def add_key(conn: AsyncConnection, given: Mapping[str, Any]) -> None:
    """Insert a key: id, client, digest, scopes, hotels, addresses, requests_per_minute, expires_at."""
    await conn.execute(_QUERIES["add_key"], given)


async def keys(conn: AsyncConnection) -> list[KeyOverview]:
    """All keys, by client and age."""
    async with conn.cursor(row_factory=class_row(KeyOverview)) as cursor:
        await cursor.execute(_QUERIES["keys"])
        return await cursor.fetchall()


async def rotate_key(
    conn: AsyncConnection,
    old: str,
    *,
    key_id: str,
    digest: bytes,
    overlap: timedelta,
    expires_at: datetime | None,
) -> datetime | None:
    """Insert a key that is what `old` is, and let that one expire after `overlap`.

    Returns:
        When the old one expires; None where no valid key has this id.
    """
    given = {"old": old, "id": key_id, "digest": digest, "overlap": overlap, "new_expires_at": expires_at}
    row = await (await conn.execute(_QUERIES["rotate_key"], given)).fetchone()
    return row[0] if row else None


async def revoke_key(conn: AsyncConnection, key_id: str) -> bool:
    """Refuse a key from now on; returns whether there is such a key."""
    return (await conn.execute(_QUERIES["revoke_key"], {"id": key_id})).rowcount == 1


async def used_keys(conn: AsyncConnection, used: Mapping[str, datetime]) -> None:
    """Note when keys were used last."""
    await conn.execute(_QUERIES["used_keys"], {"ids": list(used), "at": list(used.values())})


async def user(conn: AsyncConnection, source: str, user_id: str) -> User | None:
    """The PMS client that an engine's user is."""
    row = await (await conn.execute(_QUERIES["user"], {"source": source, "user": user_id})).fetchone()
    return User(*row) if row else None


async def link_user(conn: AsyncConnection, source: str, user_id: str, client_id: UUID) -> User:
    """Say which PMS client an engine's user is."""
    given = {"source": source, "user": user_id, "client": client_id}
    row = await (await conn.execute(_QUERIES["link_user"], given)).fetchone()
    assert row is not None  # an upsert returns its row
    return User(*row)


async def audit(conn: AsyncConnection, lines: Sequence[Audited]) -> None:
    """Write lines of the audit log."""
    rows = [asdict(line) for line in lines]
    await conn.execute(_QUERIES["audit"], {f.name: [row[f.name] for row in rows] for f in fields(Audited)})


async def forget_audit(conn: AsyncConnection, days: int, size: int) -> int:
    """Delete up to `size` lines that are older; returns how many."""
    return (await conn.execute(_QUERIES["forget_audit"], {"days": days, "size": size})).rowcount
