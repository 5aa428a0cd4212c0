"""Deliveries over HTTP: what endpoints lack, what became of it, and deciding about it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import orjson
from psycopg import AsyncConnection
from pydantic import Field, TypeAdapter

from api.control import seen
from api.control.delivery_models import (
    CountAnswer,
    DeliveriesAnswer,
    DeliveriesAsked,
    DeliveryAnswer,
    KeyPath,
    RetryAsked,
    SendAnswer,
    SkipAsked,
    StandingAnswer,
    StoryAnswer,
)
from api.events.asked import LAST
from api.fields import ID_MOST
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing, Reply
from api.writes.once import once
from outbox import deliveries, keys
from outbox.keys import Key
from sql import ledger
from sql.ledger import Author, Choice, Place, Told, Tried, Waiting

_NOT_OURS = Fault("/cursor", "Send a cursor as it was answered.", "query")
_Moment = Annotated[int, Field(ge=0, le=LAST)]
_Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
_Place = tuple[
    Annotated[int, Field(ge=0, le=2)],
    _Moment,
    _Moment,
    Annotated[int, Field(ge=0, le=ID_MOST)],
    _Name,
    _Name,
    _Name,
]
_PLACE: TypeAdapter[_Place] = TypeAdapter(_Place)
_MOST = 2_000
"""Keys that one request sends again: whoever marks them waits for its transaction."""


async def list_deliveries(call: Call[DeliveriesAsked, Nothing]) -> Reply:
    """What endpoints lack."""
    asked, access = call.params, seen.admin(call.access)
    choice = Choice(endpoint=asked.endpoint, hotel=asked.hotel_id, rejected=asked.rejected, within=access.hotels)
    async with call.context.connection() as conn:
        if asked.endpoint is not None:
            await seen.check(conn, access, asked.endpoint)
        rows = await ledger.waiting(conn, choice, asked.limit + 1, _place(asked.cursor))
    shown, more = rows[: asked.limit], len(rows) > asked.limit
    cursor = urlsafe_b64encode(orjson.dumps([*shown[-1].place])).decode() if more else None
    return Reply(DeliveriesAnswer(deliveries=[_delivery(row) for row in shown], more=more, cursor=cursor))


def _place(cursor: str | None) -> Place | None:
    """Where to go on.

    Raises:
        Problem: the cursor is none of ours.
    """
    if cursor is None:
        return None
    try:
        return Place(*_PLACE.validate_json(urlsafe_b64decode(cursor.encode("ascii"))))
    except ValueError:
        raise Problem("invalid_request", faults=[_NOT_OURS]) from None


async def read_delivery(call: Call[KeyPath, Nothing]) -> Reply:
    """What became of one thing."""
    access, key = seen.admin(call.access), keys.parse(call.params.key)
    if not access.knows(key.hotel_id):
        raise Problem("unknown_key")
    async with call.context.connection() as conn:
        names = await seen.names(conn, access)
        story = await deliveries.story(conn, key)
    if story.document is None:
        raise Problem("unknown_key")
    return Reply(
        StoryAnswer(
            key=str(key),
            version=story.document.version,
            gone=story.document.body is None,
            committed_at=story.document.committed_at,
            endpoints=[_standing(one, key) for one in story.told if one.name in names],
            sends=[_send(one) for one in story.tried if one.name in names],
        )
    )


async def retry_deliveries(call: Call[Nothing, RetryAsked]) -> Reply:
    """Send again at once what was refused, or waits for its next try."""
    asked, access = call.body, seen.admin(call.access)
    chosen = [keys.parse(one) for one in asked.keys] if asked.keys else None
    choice = Choice(endpoint=asked.endpoint, hotel=asked.hotel_id, keys=chosen, within=access.hotels)

    async def work(conn: AsyncConnection) -> Reply:
        if asked.endpoint is not None:
            await seen.check(conn, access, asked.endpoint)
        return Reply(CountAnswer(keys=await ledger.retry(conn, choice, most=_MOST)))

    return await once(call, work, pms=False)


async def skip_deliveries(call: Call[Nothing, SkipAsked]) -> Reply:
    """Take things for delivered as they are now."""
    asked, access = call.body, seen.admin(call.access)
    choice = Choice(endpoint=asked.endpoint, keys=[keys.parse(one) for one in asked.keys], within=access.hotels)
    author = Author(access.source, call.request_id, access.key_id)

    async def work(conn: AsyncConnection) -> Reply:
        await seen.check(conn, access, asked.endpoint)
        return Reply(CountAnswer(keys=await ledger.skip(conn, choice, author, asked.reason)))

    return await once(call, work, pms=False)


def _delivery(row: Waiting) -> DeliveryAnswer:
    return DeliveryAnswer(
        endpoint=row.name,
        key=keys.written(row.kind, row.hotel_id, row.id),
        kind=row.kind,
        hotel_id=row.hotel_id,
        id=row.id,
        version=row.version,
        acknowledged_version=row.acked or None,
        since=row.since,
        in_flight=row.in_flight,
        tries=row.tries,
        next_try_at=row.not_before,
        refused_at=row.rejected_at,
        last_error=row.last_error,
    )


def _standing(one: Told, key: Key) -> StandingAnswer:
    row = one.waiting(key)
    return StandingAnswer(
        endpoint=one.name, up_to_date=row is None, delivery=None if row is None else _delivery(row)
    )


def _send(one: Tried) -> SendAnswer:
    return SendAnswer(
        endpoint=one.name,
        at=one.at,
        webhook_id=one.webhook_id,
        type=one.type,
        outcome=one.outcome,
        status=one.status,
        latency_ms=one.latency_ms,
        error=one.error,
        answer=one.answer,
    )
