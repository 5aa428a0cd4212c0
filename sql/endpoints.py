"""Endpoints in the database: the list, and the pages of a first sync."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from sql.queries import load

_QUERIES = load("endpoints.sql")
_FILL = _QUERIES["fill"].format(window=_QUERIES["window"], settled=_QUERIES["settled"])
_CLOSE = _QUERIES["close"].format(snapshots=_QUERIES["snapshots"])
MOST_COUNTED = 100_000
"""What an endpoint is behind on is counted so far: a million would take half a second of each look at it."""
MANY_BOOKINGS = 4_000
"""Ids of 40 bytes that fit a snapshot of well under 256 kB."""


@dataclass(frozen=True, slots=True)
class Overview:
    """One endpoint as its operator sees it; its secrets are left out.

    public_key: None for HMAC; old_secret_until: until then the secret before signs too; ca: PEM; headers: names;
    behind: keys whose newest version it lacks, of which `rejected` were refused for good, each counted to
    MOST_COUNTED; oldest: since when;
    filling: its first sync is not marked yet; revision: rises with every change of how it is set up.
    """

    id: int
    name: str
    url: str
    format: str
    public_key: str | None
    old_secret_until: datetime | None
    ca: str | None
    headers: list[str]
    status: str
    reason: str | None
    hotels: list[int] | None
    types: list[str] | None
    bookings: str
    guest_data: bool
    max_bytes: int
    concurrency: int
    rate_per_second: float
    heartbeat_seconds: int
    failures: int
    retry_at: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    filling: bool
    revision: int
    behind: int
    rejected: int
    oldest: datetime | None

    @property
    def lacks(self) -> str:
        """How many keys it is behind on, for people."""
        return f"{self.behind:,} keys" if self.behind < MOST_COUNTED else f"{MOST_COUNTED:,} keys or more"


class Sealed(NamedTuple):
    """What is encrypted of an endpoint: secrets, and values of headers. old_secret_until: None once it is past."""

    id: int
    name: str
    format: str
    secret: str
    public_key: str | None
    old_secret: str | None
    old_secret_until: datetime | None
    headers: dict[str, str]

    @property
    def stored(self) -> list[str]:
        """All that is encrypted."""
        return [self.secret, *([self.old_secret] if self.old_secret else []), *self.headers.values()]


class Position(NamedTuple):
    """The last document that a first sync has looked at, in key order."""

    kind: str
    hotel_id: int
    id: str


START = Position("", 0, "")


async def lock(conn: AsyncConnection) -> None:
    """Keep everybody from writing documents until the caller's transaction ends.

    Raises:
        psycopg.errors.LockNotAvailable: a transaction that writes documents took too long; try again.
    """
    await conn.execute(_QUERIES["lock"])


async def add(conn: AsyncConnection, settings: Mapping[str, Any]) -> int:
    """Insert an endpoint and note that its first sync is due; returns its id. Needs `lock`."""
    found: int = await _one(conn, "add", {**settings, "headers": Jsonb(settings["headers"])})
    return found


async def rotate(conn: AsyncConnection, was: Sealed, *, secret: str, public_key: str | None, grace: float) -> bool:
    """Give an endpoint another secret; the one it had signs on for `grace` seconds. False: changed meanwhile."""
    given = {"id": was.id, "was": was.secret, "secret": secret, "public_key": public_key, "grace": grace}
    return (await conn.execute(_QUERIES["rotate"], given)).rowcount == 1


async def sealed(conn: AsyncConnection, name: str | None = None) -> list[Sealed]:
    """What is encrypted of every endpoint, or of the one that is named so."""
    return [Sealed(*row) for row in await (await conn.execute(_QUERIES["sealed"], {"name": name})).fetchall()]


async def reseal(
    conn: AsyncConnection, was: Sealed, *, secret: str, old_secret: str | None, headers: Mapping[str, str]
) -> None:
    """Store the same encrypted otherwise, unless it was changed meanwhile."""
    given = {"id": was.id, "was": was.secret, "secret": secret, "old_secret": old_secret}
    given_headers = {"headers": Jsonb(dict(headers)), "headers_were": Jsonb(was.headers)}
    await conn.execute(_QUERIES["reseal"], given | given_headers)


async def forget(conn: AsyncConnection) -> int:
    """Forget secrets whose grace has ended; returns how many."""
    return (await conn.execute(_QUERIES["forget"])).rowcount


async def enable(conn: AsyncConnection, name: str) -> int | None:
    """Enable an endpoint and note that its first sync is due; returns its id, if there is one. Needs `lock`."""
    found: int | None = await _one(conn, "enable", {"name": name})
    return found


async def disable(conn: AsyncConnection, name: str, reason: str) -> int | None:
    """Stop sending to an endpoint and marking what it misses; returns its id, if there is one."""
    found: int | None = await _one(conn, "disable", {"name": name, "reason": reason})
    return found


async def remove(conn: AsyncConnection, endpoint_id: int) -> None:
    """Delete an endpoint, with what is left of its marks."""
    await conn.execute(_QUERIES["remove"], {"endpoint": endpoint_id})


async def overview(conn: AsyncConnection, name: str | None = None, *, counted: bool = True) -> list[Overview]:
    """All endpoints by name, or the one of this name, with what they are behind on; nothing, unless `counted`."""
    async with conn.cursor(row_factory=class_row(Overview)) as cursor:
        await cursor.execute(_QUERIES["overview"], {"name": name, "counted": counted, "most": MOST_COUNTED})
        return await cursor.fetchall()


async def told(conn: AsyncConnection) -> dict[str, list[int] | None]:
    """Name → the hotels that the endpoint is told of, None for all."""
    return dict(await (await conn.execute(_QUERIES["told"])).fetchall())


async def fence(conn: AsyncConnection, endpoint_id: int, version: int) -> bool:
    """Whether the caller's transaction may work on this first sync: it is still due and nobody else's."""
    found = await conn.execute(_QUERIES["fence"], {"endpoint": endpoint_id, "version": version})
    return await found.fetchone() is not None


async def clear(conn: AsyncConnection, endpoint_id: int, version: int, size: int) -> int:
    """Delete up to `size` marks that are not newer than `version`; returns how many."""
    given = {"endpoint": endpoint_id, "version": version, "size": size}
    return (await conn.execute(_QUERIES["clear"], given)).rowcount


async def fill(conn: AsyncConnection, endpoint_id: int, after: Position, size: int) -> Position | None:
    """Mark the documents among the `size` that follow `after`; returns the last one, None past the end.

    It waits for the first while it is being written, and goes no further than to the next that is.
    """
    given = {"endpoint": endpoint_id, "kind": after.kind, "hotel": after.hotel_id, "id": after.id, "size": size}
    row = await (await conn.execute(_FILL, given)).fetchone()
    return Position(*row) if row else None


async def close(conn: AsyncConnection, endpoint_id: int) -> None:
    """Mark the snapshots that end a first sync and let the deliveries begin."""
    await conn.execute(_CLOSE, {"endpoint": endpoint_id, "many": MANY_BOOKINGS})


async def _one(conn: AsyncConnection, name: str, given: Mapping[str, Any]) -> Any:
    row = await (await conn.execute(_QUERIES[name], given)).fetchone()
    return row[0] if row else None
