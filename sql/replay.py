"""What endpoints are sent again, in the database: durable jobs, marked in pages."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection

from sql.endpoints import MANY_BOOKINGS
from sql.queries import load

MOST_COUNTED = 100_000
"""Documents of a kind that are counted: a million would take seconds of who asks for a replay."""
_QUERIES = load("replay.sql")
_ENDPOINTS = load("endpoints.sql")
_WANTED = _QUERIES["wanted"].format(window=_ENDPOINTS["window"])
_COUNT = _QUERIES["count"].format(wanted=_WANTED, every=_QUERIES["every"])
_MARK = _QUERIES["mark"].format(wanted=_WANTED, every=_QUERIES["every"], settled=_ENDPOINTS["settled"])
_FINISH = _QUERIES["finish"].format(snapshots=_ENDPOINTS["snapshots"])


class Scope(NamedTuple):
    """What is sent again. hotels, kinds: None for all; since: only what has changed from then on, deletions too."""

    hotels: list[int] | None = None
    kinds: list[str] | None = None
    since: datetime | None = None


class Replay(NamedTuple):
    """One job.

    total: documents when it was asked for, None where they are not counted; marked: those that were put into the
    queue so far; note: why it ended early.
    """

    id: int
    endpoint: str
    reason: str
    hotels: list[int] | None
    kinds: list[str] | None
    since: datetime | None
    total: int | None
    marked: int
    created_at: datetime
    finished_at: datetime | None
    note: str | None


class Job(NamedTuple):
    """A replay that is the caller's to go on with. moot: its endpoint is disabled, or will be sent everything."""

    id: int
    endpoint: str
    moot: bool


async def count(conn: AsyncConnection, endpoint_id: int, scope: Scope) -> dict[str, int]:
    """Kind → how many documents the endpoint would be sent again, each counted to MOST_COUNTED."""
    given = {"endpoint": endpoint_id, "most": MOST_COUNTED} | scope._asdict()
    return dict(await (await conn.execute(_COUNT, given, prepare=False)).fetchall())


def total(counts: Mapping[str, int]) -> int | None:
    """How many documents that is; None where they were too many to be counted."""
    return None if max(counts.values(), default=0) >= MOST_COUNTED else sum(counts.values())


async def add(
    conn: AsyncConnection, endpoint_id: int, scope: Scope, *, reason: str, total: int | None = None
) -> int | None:
    """Note a replay; returns its id, None where the endpoint is disabled or its first sync is due.

    Needs `endpoints.lock`: the version that closes it is taken while nobody writes documents.
    """
    given = {"endpoint": endpoint_id, "reason": reason, "total": total} | scope._asdict()
    row = await (await conn.execute(_QUERIES["add"], given)).fetchone()
    return row[0] if row else None


async def set_total(conn: AsyncConnection, replay_id: int, total: int | None) -> None:
    """Note how many documents a replay has to send, if they could be counted."""
    await conn.execute(_QUERIES["set_total"], {"replay": replay_id, "total": total})


async def any_open(conn: AsyncConnection) -> bool:
    """Whether there is a replay to go on with: one statement, for looking often."""
    row = await (await conn.execute(_QUERIES["any_open"])).fetchone()
    return bool(row and row[0])


async def next_(conn: AsyncConnection) -> Job | None:
    """The replay to go on with, the caller's until its transaction ends."""
    row = await (await conn.execute(_QUERIES["next"], prepare=False)).fetchone()
    return Job(*row) if row else None


async def mark(conn: AsyncConnection, replay_id: int, size: int) -> bool:
    """Mark those of the next `size` documents that are wanted; returns whether there may be more. Needs `next_`.

    It waits for the first while it is being written, and goes no further than to the next that is.
    """
    row = await (await conn.execute(_MARK, {"replay": replay_id, "size": size})).fetchone()
    assert row is not None  # a select without a table
    return bool(row[0])


async def finish(conn: AsyncConnection, replay_id: int, note: str | None = None) -> None:
    """End a replay; one that ends early says why in `note`. Old ones are forgotten."""
    await conn.execute(_FINISH, {"replay": replay_id, "note": note, "many": MANY_BOOKINGS})
    await conn.execute(_QUERIES["forget"])


async def replays(
    conn: AsyncConnection,
    *,
    replay_id: int | None = None,
    endpoints: Collection[str] | None = None,
    open_only: bool = False,
    most: int = 20,
) -> list[Replay]:
    """Replays, of these endpoints or of all, newest first."""
    names = None if endpoints is None else sorted(endpoints)
    given = {"id": replay_id, "endpoints": names, "open": open_only, "most": most}
    return [Replay(*row) async for row in await conn.execute(_QUERIES["list"], given, prepare=False)]
