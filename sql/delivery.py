"""Delivery in the database: what is due, claiming it, and what came of each send.

Every function is one statement, and autocommit suits all of them. Planning costs three times as much as running, so
each is planned once per connection, though the tables go from empty to a million rows and back: SESSION leaves the
planner no way but to look up row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from sql.health import Health
from sql.queries import load

SESSION = {
    # It touches no table of the PMS, so it may wait; an acknowledgement that a crash takes back is only sent again.
    "lock_timeout": "5s",
    "synchronous_commit": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
}
"""What connections for deliveries are set to."""
_QUERIES = load("delivery.sql")
_SCAN, _CLAIM, _HEARTBEAT = (
    _QUERIES[name].format(open=_QUERIES["open"], free=_QUERIES["free"]) for name in ("scan", "claim", "heartbeat")
)
_SETTLE = _QUERIES["settle"].format(sent=_QUERIES["sent"])
_SNAPSHOT = _QUERIES["snapshot"].format(window=load("endpoints.sql")["window"])

Verdict = Literal["delivered", "released", "delayed", "rejected", "refused"]
"""What becomes of a key: the endpoint has the version sent; back into the queue; again after a pause, through no
fault of its own, or for its content; refused for good."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send and how.

    own: only bookings of our own; max_bytes: of a message of many keys; secret, old_secret: encrypted, the latter
    signs too until `old_secret_until`; ca: PEM, None for the system's; headers: sent along, their values encrypted;
    format: how it is spoken to; revision: rises with every change of what an operator sets.
    """

    id: int
    name: str
    url: str
    secret: str = field(repr=False)
    guest_data: bool
    own: bool
    max_bytes: int
    concurrency: int
    rate_per_second: float | None = None
    old_secret: str | None = field(default=None, repr=False)
    old_secret_until: datetime | None = None
    ca: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    format: str = "standard-webhooks"
    revision: int = 1


class Standing(NamedTuple):
    """What there is to do for an endpoint.

    fill_version: its first sync is due; paced_for: seconds since health.paced_at; open: it may be sent to now;
    place: of the first key in the queue that may be sent, None for none; ripe: a key's pause is over; ripens:
    seconds until the next one's is;
    heartbeat: one is due.
    """

    target: Target
    fill_version: int | None
    health: Health
    paced_for: float
    open: bool
    place: int | None
    ripe: bool
    ripens: float | None
    heartbeat: bool


class Claim(NamedTuple):
    """A leased key, and its document as of the same snapshot.

    marked: the version it was marked with; acked: the version the endpoint has, 0 for none; place: in the queue;
    sent: it may have been sent something since; version, born, body, committed_at: the document's, None where there
    is no document (any more); days: nights above `acked` as ordinals (1 = 0001-01-01), ascending, with `sellable`
    and `occupied` beside them; told: false where nobody wants it sent any more.
    """

    kind: str
    hotel_id: int
    id: str
    marked: int
    acked: int
    place: int
    sent: bool
    tries: int
    version: int | None
    born: int | None
    body: str | None
    committed_at: datetime | None
    days: list[int] | None
    sellable: list[int] | None
    occupied: list[int] | None
    outages: int = 0
    told: bool = True


class Claimed(NamedTuple):
    """What one claim got.

    more: as many keys' pauses are over as it takes of these; paused: nothing may be sent but a probe; probing:
    which is this claim's.
    """

    claims: list[Claim]
    more: bool
    paused: bool
    probing: bool


class Live(NamedTuple):
    """The live ids of a hotel; None: the endpoint is not told of these.

    start: bookings that end before this day are not listed.
    """

    start: date
    room_types: list[int] | None
    plans: list[str] | None
    bookings: list[str] | None


class Result(NamedTuple):
    """What came of one leased key. wait: seconds until the next try of one that is delayed or rejected."""

    kind: str
    hotel_id: int
    id: str
    token: UUID
    version: int
    verdict: Verdict
    wait: float = 0.0
    error: str | None = None


class Due(NamedTuple):
    """What settling has found to be due, or will be. It is true where something is due at once.

    fresh: a newer version than was delivered; place: of the first key that was marked again during its send, None
    for none; wait: seconds until the first retry, None for none.
    """

    fresh: bool
    place: int | None
    wait: float | None

    def __bool__(self) -> bool:
        return self.fresh or self.place is not None


class Attempt(NamedTuple):
    """One send. latency_ms: until the answer or the failure; answer: its first characters."""

    at: datetime
    webhook_id: str
    type: str
    hotel_id: int | None
    keys: int
    bytes: int
    outcome: str
    status: int | None
    latency_ms: int
    error: str | None
    answer: str | None


class Beat(NamedTuple):
    """A heartbeat that is the caller's to send. probing: it is the first try after an outage."""

    probing: bool
    as_of: datetime | None
    behind: int


async def scan(conn: AsyncConnection, *, full: bool) -> list[Standing]:
    """All endpoints that get marks, and what to do for each; unless `full`, only of what was marked just now."""
    rows = await (await conn.execute(_SCAN, {"full": full}, prepare=True)).fetchall()
    return [Standing(Target(*row[:15]), row[15], Health(*row[16:24]), *row[24:]) for row in rows]


async def claim(
    conn: AsyncConnection,
    endpoint_id: int,
    *,
    worker: UUID,
    token: UUID,
    size: int,
    lease: float,
    place: int | None = 0,
    revision: int | None = None,
    fence: UUID | None = None,
) -> Claimed:
    """Lease up to `size` keys in the order of the queue, and some of those whose pause is over.

    They are the worker's for as long as it lives. place: where in the queue to begin, None: with what was marked
    just now. revision: of the target as it is known, fence: the server's, as far as known; none are leased where
    either is another by now. Of an endpoint that is paused, nobody else gets any for `lease` seconds.
    """
    given = {"endpoint": endpoint_id, "worker": worker, "token": token, "lease": lease, "place": place}
    sizes = {"size": size, "ripe": 1 + size // 4, "revision": revision, "fence": fence}
    rows = await (await conn.execute(_CLAIM, given | sizes, prepare=True, binary=True)).fetchall()
    said = rows[0][-3:] if rows else (False, False, False)
    return Claimed([Claim(*row[:-3]) for row in rows], *said)


async def snapshot(conn: AsyncConnection, endpoint_id: int, hotel_id: int, *, first: str, last: str) -> Live:
    """The live ids of a hotel now, for an endpoint; of bookings those whose first hex digit lies in first..last."""
    given = {"endpoint": endpoint_id, "hotel": hotel_id, "first": first, "last": last}
    row = await (await conn.execute(_SNAPSHOT, given)).fetchone()
    assert row is not None  # a select without a table
    return Live(*row)


async def settle(
    conn: AsyncConnection, endpoint_id: int, results: Sequence[Result], attempts: Sequence[Attempt]
) -> Due:
    """Write down what came of sends. Keys whose lease passed to another sender are left to that one.

    Raises:
        psycopg.errors.CheckViolation: no partition takes the attempts.
    """
    kinds, hotels, ids, tokens, versions, verdicts, waits, errors = _columns(results, 8)
    at, webhook_ids, types, attempt_hotels, keys, sizes, outcomes, statuses, latencies, failures, answers = (
        _columns(attempts, 11)
    )
    given = {
        "endpoint": endpoint_id,
        "kinds": kinds,
        "hotels": hotels,
        "ids": ids,
        "tokens": tokens,
        "versions": versions,
        "verdicts": verdicts,
        "waits": waits,
        "errors": errors,
        "at": at,
        "webhook_ids": webhook_ids,
        "types": types,
        "attempt_hotels": attempt_hotels,
        "key_counts": keys,
        "bytes": sizes,
        "outcomes": outcomes,
        "statuses": statuses,
        "latencies": latencies,
        "attempt_errors": failures,
        "answers": answers,
    }
    row = await (await conn.execute(_SETTLE, given, prepare=True)).fetchone()
    assert row is not None  # a select without a table
    fresh, place, moved = row
    if moved:
        later = await settle(conn, endpoint_id, results, [])
        fresh, place = fresh or later.fresh, min(filter(None, (place, later.place)), default=None)
    waits_for = [result.wait for result in results if result.verdict in {"delayed", "rejected"}]
    return Due(fresh, place, min(waits_for, default=None))


async def heartbeat(conn: AsyncConnection, endpoint_id: int, *, lease: float) -> Beat | None:
    """Take the heartbeat that is due, unless another worker has; of an endpoint that is paused it is the probe."""
    row = await (await conn.execute(_HEARTBEAT, {"endpoint": endpoint_id, "lease": lease})).fetchone()
    return Beat(*row) if row else None


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
