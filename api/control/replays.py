"""Replays over HTTP: count, start, and see how far they are."""

from psycopg import AsyncConnection
from pydantic import AwareDatetime, Field

from api.control import seen
from api.control.endpoint_models import Type
from api.fields import AskedHotel, Page
from api.request.problems import Problem
from api.request.routing import Answer, Asked, Call, Nothing, Reply
from api.writes.once import once
from outbox import replay
from outbox.settings import EndpointError
from sql import replay as jobs
from sql.replay import Replay, Scope


class ReplayAsked(Asked):
    """What to send again."""

    endpoint: str = Field(description="The endpoint's name.", min_length=1, max_length=200)
    hotels: list[AskedHotel] | None = Field(
        None,
        description="Only of these hotels; null: all that the endpoint is told of.",
        min_length=1,
        max_length=1000,
    )
    kinds: list[Type] | None = Field(
        None, description="Only of these kinds; null: all.", min_length=1, max_length=6
    )
    since: AwareDatetime | None = Field(
        None,
        description="Only what has changed since, deletions too; null: everything that exists, and at the end which"
        " ids exist. Take a time well before the copy was made that the endpoint was restored from.",
    )


class ReplayPath(Asked):
    """One replay."""

    replay_id: int = Field(description="The replay's id.", ge=1, le=2**62)


class ReplayAnswer(Answer):
    """A replay, and how far it is."""

    replay_id: int = Field(description="Its id.")
    endpoint: str = Field(description="The endpoint's name.")
    hotels: list[int] | None = Field(description="Only of these hotels; null: all.")
    kinds: list[str] | None = Field(description="Only of these kinds; null: all.")
    since: AwareDatetime | None = Field(description="Only what has changed since; null: everything.")
    reason: str = Field(description="Why it was begun.")
    total: int | None = Field(
        description="How many documents that was when it began; null: not counted, or over 100,000 of a kind."
    )
    queued: int = Field(
        description="How many of them stand in the queue by now; `behind` of the endpoint falls from there."
    )
    created_at: AwareDatetime = Field(description="When it was asked for (RFC 3339, UTC).")
    finished_at: AwareDatetime | None = Field(description="When all of them stood in the queue; null: not yet.")
    note: str | None = Field(description="Why it ended early.")


class ReplaysAnswer(Answer):
    """Replays of the last 30 days."""

    replays: list[ReplayAnswer] = Field(description="Newest first.")


class CountedAnswer(Answer):
    """What a replay would send."""

    documents: int | None = Field(description="How many documents; null: over 100,000 of a kind.")
    by_kind: dict[str, int] = Field(
        description="How many of each kind, counted to 100,000: that is so many or more."
    )


async def count_replay(call: Call[Nothing, ReplayAsked]) -> Reply:
    """What a replay would send."""
    async with call.context.connection() as conn:
        wanted = await _wanted(conn, call)
        try:
            counts = dict(await replay.count(conn, call.body.endpoint, wanted))
        except EndpointError as error:
            raise seen.refused(error) from None
    return Reply(CountedAnswer(documents=jobs.total(counts), by_kind=counts))


async def start_replay(call: Call[Nothing, ReplayAsked]) -> Reply:
    """Send again."""

    async def work(conn: AsyncConnection) -> Reply:
        wanted = await _wanted(conn, call)
        try:
            row = await replay.note(conn, call.body.endpoint, wanted, f"asked for by {call.access.source}")
        except EndpointError as error:
            raise seen.refused(error) from None
        return Reply(_answer(row), 202)

    return await once(call, work, pms=False)


async def list_replays(call: Call[Page, Nothing]) -> Reply:
    """Replays, newest first."""
    async with call.context.connection() as conn:
        names = await seen.names(conn, call.access)
        rows = await jobs.replays(conn, endpoints=names, most=call.params.limit)
    return Reply(ReplaysAnswer(replays=[_answer(row) for row in rows]))


async def read_replay(call: Call[ReplayPath, Nothing]) -> Reply:
    """One replay."""
    async with call.context.connection() as conn:
        names = await seen.names(conn, call.access)
        rows = await jobs.replays(conn, endpoints=names, replay_id=call.params.replay_id)
    if not rows:
        raise Problem("unknown_replay")
    return Reply(_answer(rows[0]))


async def _wanted(conn: AsyncConnection, call: Call[Nothing, ReplayAsked]) -> Scope:
    await seen.check(conn, call.access, call.body.endpoint)
    for hotel_id in call.body.hotels or ():
        if not call.access.knows(hotel_id) or not await call.context.hotels.has(hotel_id):
            raise Problem("unknown_hotel")
    kinds = None if call.body.kinds is None else [str(kind) for kind in call.body.kinds]
    return replay.scope(call.body.hotels, kinds, call.body.since)


def _answer(row: Replay) -> ReplayAnswer:
    return ReplayAnswer(
        replay_id=row.id,
        endpoint=row.endpoint,
        hotels=row.hotels,
        kinds=row.kinds,
        since=row.since,
        reason=row.reason,
        total=row.total,
        queued=row.marked,
        created_at=row.created_at,
        finished_at=row.finished_at,
        note=row.note,
    )
