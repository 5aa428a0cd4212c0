"""Everything there is, for a reader that is new or has missed something."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from typing import Annotated

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from api.events.answers import snapshot
from api.events.asked import LAST, WhatAsked, what
from api.events.reading import told
from api.fields import ID_MOST, Page
from api.request.etags import tag
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing, Reply
from outbox.delivery.compose import Message
from sql import snapshots
from sql.snapshots import KINDS, Place, Start

_Where = tuple[
    Annotated[int, Field(ge=0, le=LAST)],
    date,
    Annotated[int, Field(ge=0, lt=len(KINDS))],
    Annotated[int, Field(ge=0, le=ID_MOST)],
    Annotated[str, Field(max_length=200, pattern=r"^[ -~]*\x01?$")],
]
_WHERE: TypeAdapter[_Where] = TypeAdapter(_Where)


class SnapshotAsked(WhatAsked, Page):
    """A page of everything there is."""

    page: str | None = Field(
        None, description="The next page, as the answer before named it; left out: the first.", max_length=600
    )


async def read_snapshot(call: Call[SnapshotAsked, Nothing]) -> Reply:
    """A page of everything that the key may know."""
    asked = what(call.access, call.params)
    async with call.context.connection() as conn:
        if call.params.page is None:
            start, place = await snapshots.start(conn), Place()
        else:
            start, place = _where(call.params.page)
        messages: list[Message] = []
        following: Place | None = place
        while following is not None and len(messages) < call.params.limit:
            left = call.params.limit - len(messages)
            claims, following = await snapshots.page(conn, asked, following, since=start.check_out_from, limit=left)
            messages += [message for claim in claims for message in told(claim, call.access)]
    fresh = await call.context.freshness.now()
    token = None if following is None else _token(start, following)
    said = [orjson.Fragment(message.data) for message in messages]
    return Reply(snapshot(messages, start, token, fresh), etag=tag(said, token, fresh.stale))


def _token(start: Start, place: Place) -> str:
    return urlsafe_b64encode(orjson.dumps([*start, *place])).decode()


def _where(token: str) -> tuple[Start, Place]:
    """What a page's name says.

    Raises:
        Problem: it is none of ours.
    """
    try:
        position, since, kind, hotel_id, least = _WHERE.validate_json(urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, ValidationError):
        fault = Fault("/page", "Send it as it was answered.", "query")
        raise Problem("invalid_request", faults=[fault]) from None
    return Start(position, since), Place(kind, hotel_id, least)
