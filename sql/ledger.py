"""What endpoints are behind on, key by key, for those who look after them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from sql.delivery import Attempt
from sql.queries import fill, load

_QUERIES = load("ledger.sql")
_HELD = fill(_QUERIES["held"], flying=load("delivery.sql")["flying"])
_PAGE = 2_000
_SHOWN = 20


def _of(name: str, *rows: str) -> SQL:
    """A statement on the keys that these blocks find."""
    found = SQL("\nunion all\n").join(fill(_QUERIES[row], after=_after(name, row)) for row in rows)
    picked = fill(_QUERIES["picked"], asked=_QUERIES["asked"], rows=found)
    return fill(_QUERIES[name], asked=_QUERIES["asked"], rows=found, picked=picked, held=_HELD)


def _after(name: str, row: str) -> SQL:
    """Only a list goes on after a place."""
    return _QUERIES[f"after_{row}"] if name == "list" and f"after_{row}" in _QUERIES else SQL("true")


_NAMED = {name: _of(name, "named") for name in ("list", "retry", "skip")}
_FOUND = {
    "list": _of("list", "refused", "paused", "queued"),
    "retry": _of("retry", "refused", "paused"),
    "skip": _of("skip", "refused"),
}
"""Which keys a statement is about is found by the indexes of what was refused, waits and is queued: each look ends
after as many as are asked for, however many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which keys. None: all; within: only endpoints that know no other hotels; rejected: only what is refused.

    keys: kind, hotel and id of each.
    """

    endpoint: str | None = None
    hotel: int | None = None
    rejected: bool = False
    within: Collection[int] | None = None
    keys: Sequence[tuple[str, int, str]] | None = None

    def among(self, name: str) -> SQL:
        """A statement on these keys."""
        return (_FOUND if self.keys is None else _NAMED)[name]

    def given(self) -> dict[str, Any]:
        """As the queries want it."""
        keys = self.keys
        kinds, hotels, ids = (None if keys is None else [key[field] for key in keys] for field in range(3))
        return {
            "endpoint": self.endpoint,
            "hotel": self.hotel,
            "rejected": self.rejected,
            "within": None if self.within is None else sorted(self.within),
            "kinds": kinds,
            "hotels": hotels,
            "ids": ids,
        }


class Place(NamedTuple):
    """Where a list goes on: after this key.

    section: refused, waiting for a try, queued; at: when, in microseconds, 0 in the queue; queued: its place in the
    queue, 0 in that of one hotel.
    """

    section: int
    at: int
    queued: int
    hotel_id: int
    kind: str
    id: str
    name: str

    def given(self) -> dict[str, Any]:
        """As the queries want it: nothing is left of the sections before, all is of those after."""
        moment = _EPOCH + timedelta(microseconds=self.at)
        froms = [
            "infinity" if self.section > section else "-infinity" if self.section < section else moment.isoformat()
            for section in range(_QUEUED)
        ]
        return {
            "refused_from": froms[0],
            "paused_from": froms[1],
            "queued_from": self.queued if self.section == _QUEUED else -(2**63),
            "at_place": self.queued,
            "at_hotel": self.hotel_id,
            "at_kind": self.kind,
            "at_id": self.id,
            "at_name": self.name,
        }


_QUEUED = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_START = Place(-1, 0, 0, 0, "", "", "").given()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A key that an endpoint lacks the newest version of.

    version: that one; acked: the one it has, 0 for none; since: when it fell behind; tries: rejections of this
    version; outages: failed sends; not_before: the next try; rejected_at: when it was refused for good; section,
    at, queued: where a list has it, see Place.
    """

    name: str
    kind: str
    hotel_id: int
    id: str
    version: int
    acked: int
    since: datetime
    tries: int
    outages: int
    not_before: datetime | None
    in_flight: bool
    rejected_at: datetime | None
    last_error: str | None
    section: int = 0
    at: int = 0
    queued: int = 0

    @property
    def place(self) -> Place:
        """Where the list goes on after it."""
        return Place(self.section, self.at, self.queued, self.hotel_id, self.kind, self.id, self.name)


class Document(NamedTuple):
    """A key's newest version; body: JSON, None for what is gone."""

    version: int
    born: int
    body: str | None
    committed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """How an endpoint stands with a key. version and what follows: None where it has the newest; see Waiting."""

    id: int
    name: str
    status: str
    guest_data: bool
    version: int | None
    acked: int | None
    since: datetime | None
    tries: int | None
    outages: int | None
    not_before: datetime | None
    in_flight: bool
    rejected_at: datetime | None
    last_error: str | None

    def waiting(self, key: tuple[str, int, str]) -> Waiting | None:
        """What it waits for; None where it has the newest version."""
        if self.version is None:
            return None
        assert self.acked is not None and self.since is not None  # noqa: PT018 - not null beside the version
        assert self.tries is not None and self.outages is not None  # noqa: PT018
        return Waiting(
            self.name, *key, self.version, self.acked, self.since, self.tries, self.outages, self.not_before,
            self.in_flight, self.rejected_at, self.last_error,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """A send that was made. name: the endpoint's; latency_ms: until the answer or the failure."""

    name: str
    at: datetime
    webhook_id: str
    type: str
    keys: int
    bytes: int
    outcome: str
    status: int | None
    latency_ms: int
    error: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who skips: the client's name or `operator`, the key's id where it was by the API, and the request's id."""

    source: str
    request_id: str
    key_id: str | None = None


async def waiting(conn: AsyncConnection, choice: Choice, most: int, after: Place | None = None) -> list[Waiting]:
    """Up to `most` keys: what was refused for good first, then what waits for its next try, then the queue.

    Each section is in the order of its time, and then of the queue; the queue of one hotel, for which there is
    none, in that of its keys.
    """
    given = choice.given() | (after.given() if after else _START)
    async with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        await cursor.execute(choice.among("list"), given | {"most": most}, prepare=False)
        return await cursor.fetchall()


async def retry(conn: AsyncConnection, choice: Choice, *, most: int | None = None) -> int:
    """Queue again what was refused, or waits for its next try; returns how many keys.

    Many are queued in pages, a statement each, until they are `most` or more. In one transaction let them be few:
    who marks the same keys waits for its end.
    """
    return await _in_pages(conn, choice.among("retry"), choice.given(), most)


async def skip(conn: AsyncConnection, choice: Choice, author: Author, reason: str | None) -> int:
    """Take keys for delivered in their present version, with a line each in the audit log; returns how many.

    They are those that the choice names, or else what was refused. Many are skipped in pages, a statement each.
    """
    who = {"source": author.source, "request_id": author.request_id, "key_id": author.key_id, "reason": reason}
    return await _in_pages(conn, choice.among("skip"), choice.given() | who)


async def _in_pages(conn: AsyncConnection, statement: SQL, given: dict[str, Any], most: int | None = None) -> int:
    # What is in flight, queued already or locked by others may be all of a page: what lies behind it is looked at.
    total, size = 0, _PAGE
    while most is None or total < most:
        row = await (await conn.execute(statement, given | {"most": size}, prepare=False)).fetchone()
        assert row is not None  # two counts
        found, done = row
        total += done
        if found < size:
            break
        size = size if done else size * 2
    return total


async def document(conn: AsyncConnection, key: tuple[str, int, str]) -> Document | None:
    """A key's newest version, if it ever had one."""
    row = await (await conn.execute(_QUERIES["document"], _key(key))).fetchone()
    return Document(*row) if row and row[0] else None


async def told(conn: AsyncConnection, key: tuple[str, int, str]) -> list[Told]:
    """How each endpoint stands that is told of a key."""
    async with conn.cursor(row_factory=class_row(Told)) as cursor:
        await cursor.execute(_QUERIES["told"], _key(key), prepare=False)
        return await cursor.fetchall()


async def attempts(
    conn: AsyncConnection,
    *,
    webhook_ids: Sequence[str] = (),
    types: Sequence[str] = (),
    hotel: int | None = None,
) -> list[Tried]:
    """The latest sends of these messages, and of these types for a hotel or for all, newest first."""
    given = {
        "webhook_ids": list(webhook_ids),
        "types": list(types),
        "hotel": hotel,
        "most": _SHOWN,
    }
    async with conn.cursor(row_factory=class_row(Tried)) as cursor:
        await cursor.execute(_QUERIES["attempts"], given, prepare=False)
        return await cursor.fetchall()


async def note(conn: AsyncConnection, endpoint_id: int, attempt: Attempt) -> None:
    """Write one attempt down.

    Raises:
        psycopg.errors.CheckViolation: no partition takes it.
    """
    await conn.execute(_QUERIES["note"], {"endpoint": endpoint_id} | attempt._asdict())


def _key(key: tuple[str, int, str]) -> dict[str, Any]:
    return dict(zip(("kind", "hotel", "id"), key, strict=True))
