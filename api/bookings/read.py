"""Reading bookings: one, and those that have changed."""

import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BeforeValidator, Field

from api.access.scopes import Access
from api.bookings.answers import BookingListed, reply, said
from api.fields import AsOf, Page, Stale
from api.freshness import stamped
from api.request.etags import digest
from api.request.problems import Fault, Problem
from api.request.routing import Answer, Asked, Call, Nothing, Reply
from outbox.messages.documents import BookingId, HotelId, Version
from sql import booked
from sql.booked import Position, Viewer

_FIRST = UUID(int=0)
_SETTLED = 60_000_000
"""Microseconds after which whatever got a version is committed: our transactions are shorter."""


_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _written(value: object) -> object:
    """Take no text but RFC 3339: pydantic would also read numbers as instants."""
    if isinstance(value, str) and not _INSTANT.fullmatch(value):
        raise ValueError("an instant is written as RFC 3339 says, with its zone")
    return value


class BookingPath(Asked):
    """One booking."""

    booking_id: UUID = Field(description="The booking's id.")


class ChangedAsked(Page):
    """Which changes are asked for."""

    updated_since: Annotated[AwareDatetime, BeforeValidator(_written)] | None = Field(
        None, description="Bookings that changed since then (RFC 3339); left out: all. Not used with a cursor."
    )
    cursor: str | None = Field(None, description="Where the answer before ended.", max_length=200)


class BookingGone(Answer):
    """A booking that the hotel's staff have deleted."""

    booking_id: BookingId
    hotel_id: HotelId
    version: Version


class ChangedAnswer(Answer):
    """Bookings in the order of their versions."""

    as_of: AsOf
    stale: Stale
    bookings: list[BookingListed] = Field(description="As they are now.")
    deleted: list[BookingGone] = Field(description="Those that are no more.")
    cursor: str = Field(description="To be sent with the next request, now or later.")
    more: bool = Field(description="Whether there are more now.")


def viewer(access: Access) -> Viewer:
    """What a key or token may see: bookings of its client, in its hotels; a user's token only his."""
    return Viewer(access.source, access.hotels, access.user_id)


async def read_booking(call: Call[BookingPath, Nothing]) -> Reply:
    """A booking as it is."""
    fresh = await call.context.freshness.look()
    async with call.context.connection() as conn:
        found = await booked.find(conn, viewer(call.access), call.params.booking_id)
    if found is None or found.body is None:
        raise Problem("unknown_booking")
    return reply(found.body, found.version, fresh(found.hotel_id), guest_data=call.access.may("guest-data"))


async def list_bookings(call: Call[ChangedAsked, Nothing]) -> Reply:
    """Bookings that have changed."""
    asked = call.params
    start, fresh = _start(asked), await call.context.freshness.now()
    async with call.context.connection() as conn:
        found = await booked.changed(conn, viewer(call.access), start, asked.limit + 1)
    more = len(found) > asked.limit
    found = found[: asked.limit]
    end = Position(found[-1].version, found[-1].id) if found else start
    if not more:
        end = min(end, Position(time.time_ns() // 1000 - _SETTLED, _FIRST))
    guest_data = call.access.may("guest-data")
    body = orjson.dumps(
        {
            "bookings": [said(one.body, one.version, guest_data=guest_data) for one in found if one.body],
            "deleted": [
                {"booking_id": str(one.id), "hotel_id": one.hotel_id, "version": one.version}
                for one in found
                if one.body is None
            ],
            "cursor": _cursor(end),
            "more": more,
        }
    )
    return Reply(stamped(fresh, body), etag=digest(body))


def _start(asked: ChangedAsked) -> Position:
    """Where to begin.

    Raises:
        Problem: the cursor is none of ours.
    """
    if asked.cursor is None:
        since = asked.updated_since
        return Position(int(since.timestamp() * 1_000_000) if since else 0, _FIRST)
    try:
        raw = urlsafe_b64decode(asked.cursor.encode("ascii"))
        position = Position(int.from_bytes(raw[:8], signed=True), UUID(bytes=raw[8:]))
    except ValueError:
        fault = Fault("/cursor", "Send a cursor as it was answered.", "query")
        raise Problem("invalid_request", faults=[fault]) from None
    return position


def _cursor(position: Position) -> str:
    raw = position.version.to_bytes(8, signed=True) + position.id.bytes
    return urlsafe_b64encode(raw).decode()
