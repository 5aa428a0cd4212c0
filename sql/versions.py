"""Newer versions for everything: an engine may have what a restored database does not know that it had said."""

from collections.abc import Collection
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql import endpoints, replay
from sql.literals import array
from sql.queries import fill, load

KINDS = ("hotel", "room_type", "plan", "rates", "availability", "booking")
"""In the order of a first sync: what others refer to comes first."""

_QUERIES = load("versions.sql")
_OURS = load("projection.sql")
# Behind what changes now, as a replay: it may be everything.
_MARKS = fill(_OURS["marks"], place=SQL("%(place)s::bigint"))
_RAISE = dict.fromkeys(KINDS, _MARKS) | {
    "availability": fill(SQL("{nights},\n{marks}"), nights=_QUERIES["nights"], marks=_MARKS),
    "booking": fill(SQL("{marks},\n{listed}"), marks=_MARKS, listed=_OURS["listed"]),
}
_RAISE = {kind: fill(_QUERIES["raise"], marks=marks) for kind, marks in _RAISE.items()}
_LISTS = replay.Scope(kinds=[])
"""A replay that marks nothing, and is closed by the lists of what there is."""


class Document(NamedTuple):
    """A locked document's key and version."""

    hotel_id: int
    id: str
    version: int


async def floor(conn: AsyncConnection, work_id: int) -> int:
    """The version that this durable work raises everything to, at least."""
    return await _number(conn, "floor", work=work_id)


async def count(conn: AsyncConnection) -> int:
    """How many documents there are."""
    return await _number(conn, "count")


async def page(conn: AsyncConnection, kind: str, after: tuple[int, str], size: int) -> list[Document]:
    """Lock the next documents of a kind after a hotel's id."""
    given = {"kind": kind, "hotel": after[0], "id": after[1], "size": size}
    return [Document(*row) async for row in await conn.execute(_QUERIES["page"], given)]


async def raise_(conn: AsyncConnection, kind: str, documents: Collection[Document], floor: int) -> None:
    """Give locked documents of one kind a new version; endpoints are behind on them, the feed tells of them.

    They stand in the queue where the floor was taken, in the order of a first sync: what changes now goes before.
    """
    keys = {"hotels": array(d.hotel_id for d in documents), "ids": array(d.id for d in documents)}
    await conn.execute(_RAISE[kind], {"kind": kind, "place": floor + KINDS.index(kind), **keys})


async def close(conn: AsyncConnection, reason: str) -> None:
    """Send every endpoint the lists of what there is, so that it drops the rest, and have the feed read anew.

    Raises:
        psycopg.errors.LockNotAvailable: a transaction that writes documents took too long; try again.
    """
    await endpoints.lock(conn)
    for (endpoint_id,) in await (await conn.execute(_QUERIES["endpoints"])).fetchall():
        await replay.add(conn, endpoint_id, _LISTS, reason=reason, total=0)
    await conn.execute(_QUERIES["cut_feed"])


async def _number(conn: AsyncConnection, query: str, **values: Any) -> int:
    row = await (await conn.execute(_QUERIES[query], values)).fetchone()
    assert row is not None  # each counts, or asks for a row that is locked
    return int(row[0])
