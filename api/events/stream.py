"""The feed followed as it happens: server-sent events, each with its position as id."""

import asyncio
import time
from collections.abc import Awaitable

import orjson
import psycopg
from aiohttp import web
from psycopg_pool import PoolTimeout

from api.events.answers import event
from api.events.asked import FollowAsked, start, what
from api.events.reading import Read, read
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing
from outbox.delivery.compose import rfc3339
from sql import feed

LONGEST = 300.0
"""Seconds after which a stream ends: whoever connects again shows his key again."""
UNREAD = 10.0
"""Seconds in which a reader has to take what is written; who does not is cut off, and may come back."""
_QUIET = 15.0
_PAGE = 100
_RETRY_MS = 1000


async def stream_events(call: Call[FollowAsked, Nothing]) -> web.StreamResponse:
    """Events for some minutes; a reader that was cut off goes on after its Last-Event-ID."""
    asked = what(call.access, call.params)
    ends = _end(call)
    page = await read(call.context, call.access, asked, await _start(call), _PAGE)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(call.request)
    if call.request.method == "HEAD":
        return response
    try:
        await _taken(call, response.write(b"retry: %d\n\n" % _RETRY_MS))
        while True:
            await _taken(call, response.write(_frames(page) or await _pulse(call, page)))
            page = await _next(call, asked, page, ends)
            if call.context.heads.closed or time.time() >= ends:
                break
        await _taken(call, response.write_eof())
    except (ConnectionError, psycopg.Error, PoolTimeout, Problem):
        # The answer was begun: all that is left is to end it. The reader comes back and is told why.
        return response
    return response


async def _taken(call: Call[FollowAsked, Nothing], writing: Awaitable[None]) -> None:
    """Wait until the reader has taken enough of what is written.

    Raises:
        ConnectionError: he has not in time, and is cut off.
    """
    try:
        async with asyncio.timeout(UNREAD):
            await writing
    except TimeoutError:
        if call.request.transport is not None:
            call.request.transport.abort()
        raise ConnectionAbortedError from None


async def _next(call: Call[FollowAsked, Nothing], asked: feed.Asked, page: Read, ends: float) -> Read:
    """The next events; after a quiet while none, with the position that was reached."""
    quiet = min(time.time() + _QUIET, ends)
    while True:
        if not page.more:
            await call.context.heads.beyond(page.end, max(quiet - time.time(), 0.0))
        page = await read(call.context, call.access, asked, page.end, _PAGE)
        if page.events or call.context.heads.closed or time.time() >= quiet:
            return page


def _end(call: Call[FollowAsked, Nothing]) -> float:
    """When the stream ends, in Unix seconds."""
    expires = call.access.expires_at
    return min(time.time() + LONGEST, expires.timestamp() if expires else float("inf"))


async def _start(call: Call[FollowAsked, Nothing]) -> int:
    last = call.headers.get("last-event-id", "")
    if not last:
        return await start(call, call.params.after)
    if not (last.isascii() and last.isdigit() and len(last) <= 16):
        raise Problem("invalid_request", faults=[Fault("/Last-Event-ID", "An id as it was sent.", "header")])
    return int(last)


def _frames(page: Read) -> bytes:
    return b"".join(
        b"id: %d\nevent: %s\ndata: %s\n\n" % (one.position, one.message.type.encode(), orjson.dumps(event(one)))
        for one in page.events
    )


async def _pulse(call: Call[FollowAsked, Nothing], page: Read) -> bytes:
    """A sign of life that moves the reader on past what it did not ask for."""
    fresh = await call.context.freshness.now()
    as_of = rfc3339(fresh.as_of) if fresh.as_of else "unknown"
    return b"id: %d\n: as of %s\n\n" % (page.end, as_of.encode())
