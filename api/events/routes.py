"""Pulling the feed, and keeping how far it was read."""

import time
from collections.abc import Sequence

import orjson
from psycopg import AsyncConnection

from api.events.answers import (
    AckAsked,
    CursorAnswer,
    CursorsAnswer,
    EventsAnswer,
    SnapshotAnswer,
    events,
    example_events,
    example_snapshot,
)
from api.events.asked import CursorName, EventsAsked, FollowAsked, check_reader, start, what
from api.events.reading import Read, read
from api.events.snapshot import SnapshotAsked, read_snapshot
from api.events.stream import stream_events
from api.request import trace
from api.request.etags import tag
from api.request.problems import Fault, Problem
from api.request.routing import Asked, Call, Nothing, Reply, Returns, Route
from api.writes.once import once
from sql import feed

MOST_CURSORS = 20
"""Cursors that a client may have: each is a time series of the metrics."""
_SKIPPING = 1.0
"""Seconds in which events that say nothing to the caller are passed over before it is answered."""


class CursorPath(Asked):
    """One of your cursors."""

    cursor: CursorName


async def read_events(call: Call[EventsAsked, Nothing]) -> Reply:
    """A page of events after a position; where there is none, waits for one as long as it was asked to."""
    found = await _read(call)
    fresh = await call.context.freshness.now()
    said = [(one.position, orjson.Fragment(one.message.data)) for one in found.events]
    return Reply(events(found, fresh), etag=tag(said, found.end, found.more, fresh.stale))


async def _read(call: Call[EventsAsked, Nothing]) -> Read:
    asked = what(call.access, call.params)
    after = await start(call, call.params.after)
    deadline = time.monotonic() + call.params.wait
    while True:
        found = await read(call.context, call.access, asked, after, call.params.limit)
        left = deadline - time.monotonic()
        if found.events or call.context.heads.closed or left <= (-_SKIPPING if found.more else 0):
            return found
        if not found.more:
            await call.context.heads.beyond(found.end, left)
        after = found.end


async def ack_events(call: Call[Nothing, AckAsked]) -> Reply:
    """Keep how far the caller has read."""
    check_reader(call.access)
    name, position = call.body.cursor, call.body.position

    async def work(conn: AsyncConnection) -> Reply:
        if position > await feed.head(conn):
            raise Problem("invalid_request", faults=[Fault("/position", "No such position was given yet.")])
        kept = await feed.ack(conn, call.access.source, name, position, most=MOST_CURSORS)
        if kept is None:
            raise Problem("too_many_cursors")
        return Reply({"cursor": name, "position": kept.position, "acked_at": kept.acked_at})

    reply = await once(call, work, pms=False)
    # Every reader does so every few seconds, and the cursor says what came of it.
    trace.of(call.request).audited = False
    return reply


async def list_cursors(call: Call[Nothing, Nothing]) -> Reply:
    """The caller's cursors."""
    check_reader(call.access)
    async with call.context.connection() as conn:
        found = await feed.cursors(conn, call.access.source)
    said = [{"cursor": one.name, "position": one.position, "acked_at": one.acked_at} for one in found]
    return Reply(CursorsAnswer.model_validate({"cursors": said}))


async def remove_cursor(call: Call[CursorPath, Nothing]) -> Reply:
    """Forget a cursor."""
    check_reader(call.access)

    async def work(conn: AsyncConnection) -> Reply:
        if not await feed.remove(conn, call.access.source, call.params.cursor):
            raise Problem("unknown_cursor")
        return Reply(status=204)

    return await once(call, work, pms=False)


_FOLLOW = """\
Positions are given after the commit of what they tell, and in the order in which they can be seen: whoever reads on
from `position` misses nothing and is given no position twice. An event tells what is newest now, so one that
something newer has overtaken may be left out; keep things by their `version`, as with webhooks.

Acknowledge `position` once everything is kept, under a cursor of your own, and begin there next time. Events are
kept for some days. Whoever stands before that gets `cursor_expired`, and begins anew by GET /events/snapshot.
"""
_ANEW = """\
Read all pages, then drop what none of them named, then follow GET /events from `position`: what has changed
meanwhile is told there. So does a reader begin that is new.
"""
_EXAMPLE = example_events("booking.created", "availability.updated")
_ALL = example_snapshot("hotel.updated", "booking.updated")
_ACKED = {"cursor": "website", "position": 1_795_401_296_214_907, "acked_at": "2026-11-23T05:15:01.204118Z"}

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path="/events",
        handler=read_events,
        name="readEvents",
        tag="Events",
        summary="Pull what has changed",
        description=_FOLLOW,
        params=EventsAsked,
        params_examples={"after": "website", "types": "booking,availability"},
        returns={200: Returns("Events, by position.", EventsAnswer, _EXAMPLE)},
        problems=("cursor_expired",),
    ),
    Route(
        method="GET",
        path="/events/stream",
        handler=stream_events,
        name="streamEvents",
        tag="Events",
        summary="Follow what changes as it happens",
        description="Server-sent events: `id` is the position, `event` the type, `data` an event as GET /events"
        " has it. A stream ends after five minutes, and one that is not read for ten seconds is cut off; connect"
        " again with the header `Last-Event-ID`.",
        params=FollowAsked,
        params_examples={"after": "website", "types": "booking,availability"},
        returns={200: Returns("Events, endlessly.", content_type="text/event-stream")},
        problems=("cursor_expired",),
    ),
    Route(
        method="GET",
        path="/events/snapshot",
        handler=read_snapshot,
        name="readSnapshot",
        tag="Events",
        summary="Read everything there is",
        description=_ANEW,
        params=SnapshotAsked,
        params_examples={"types": "booking,availability"},
        returns={200: Returns("What there is, by kind and hotel.", SnapshotAnswer, _ALL)},
    ),
    Route(
        method="POST",
        path="/events/ack",
        handler=ack_events,
        name="ackEvents",
        tag="Events",
        summary="Keep how far you have read",
        description="A cursor only moves on: a lower position changes nothing. It belongs to the client, whatever"
        " key it uses, and is made by its first acknowledgement.",
        body=AckAsked,
        body_example={"cursor": "website", "position": 1_795_401_296_214_907},
        returns={200: Returns("Where the cursor stands.", CursorAnswer, _ACKED)},
        problems=("too_many_cursors",),
        writes=True,
    ),
    Route(
        method="GET",
        path="/events/cursors",
        handler=list_cursors,
        name="listCursors",
        tag="Events",
        summary="List your cursors",
        returns={200: Returns("Your cursors, by name.", CursorsAnswer, {"cursors": [_ACKED]})},
    ),
    Route(
        method="DELETE",
        path="/events/cursors/{cursor}",
        handler=remove_cursor,
        name="removeCursor",
        tag="Events",
        summary="Forget a cursor",
        description="One that is not moved any more is an alarm to the operator.",
        params=CursorPath,
        params_examples={"cursor": "website"},
        returns={204: Returns("There is no such cursor any more.")},
        problems=("unknown_cursor",),
        writes=True,
    ),
)
