"""What of the feed is asked for, and where reading begins."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.access.scopes import Access
from api.fields import AskedHotel, Page
from api.request.problems import Problem
from api.request.routing import Asked, Call
from outbox.settings import TYPES
from sql import feed

LAST = 2**53 - 1
"""No position is greater: JavaScript's numbers hold it."""
_NAME = "[a-z][a-z0-9_-]{0,62}"
_TYPE = f"({'|'.join(TYPES)})"

CursorName = Annotated[str, Field(description="A name of your own for a cursor.", pattern=f"^{_NAME}$")]
Position = Annotated[
    int,
    Field(description="A position in the feed. Positions rise; nothing else can be told from them.", ge=0, le=LAST),
]


class WhatAsked(Asked):
    """Of what."""

    types: str | None = Field(
        None,
        description=f"Only messages of these types, separated by commas: {', '.join(f'`{t}`' for t in TYPES)}."
        " Left out: all that the key may read.",
        pattern=f"^{_TYPE}(,{_TYPE})*$",
    )
    hotel_id: AskedHotel | None = Field(None, description="Only of this hotel.")
    bookings: Literal["all", "own"] = Field(
        "all",
        description="All bookings of the hotels, or only those that came from booking engines; one that did not,"
        " after all, is told as `booking.deleted`.",
    )


class FollowAsked(WhatAsked):
    """From where on, and of what."""

    after: str = Field(
        "0",
        description="Events after this position, or after the cursor of this name. A cursor that was never"
        " acknowledged stands at 0, before the first event.",
        pattern=f"^([0-9]{{1,16}}|{_NAME})$",
    )


class EventsAsked(FollowAsked, Page):
    """A page of events."""

    wait: int = Field(0, description="Seconds to wait for the first event where there is none.", ge=0, le=30)


def check_reader(access: Access) -> None:
    """Make sure that the feed is read by a booking engine itself.

    Raises:
        Problem: `insufficient_scope`, for a token that was made for one user.
    """
    if access.user_id is not None:
        raise Problem(
            "insufficient_scope", "A token that was made for one user does not read the feed.", scope="read"
        )


def what(access: Access, asked: WhatAsked) -> feed.Asked:
    """What a key gets of what it asks for: events of its hotels, bookings only with the scope for them.

    Raises:
        Problem: `insufficient_scope`, also for bookings that are asked for by name without the scope `book`.
    """
    check_reader(access)
    kinds = set(asked.types.split(",")) if asked.types else set(TYPES)
    if not access.may("book"):
        if asked.types and "booking" in kinds:
            raise Problem("insufficient_scope", scope="book")
        kinds.discard("booking")
    hotels = access.hotels if asked.hotel_id is None else {asked.hotel_id}
    return feed.Asked(sorted(kinds), hotels, asked.bookings == "own")


async def start(call: Call[Any, Any], after: str) -> int:
    """The position that a request names, by itself or by a cursor."""
    if after.isdigit():
        return int(after)
    async with call.context.connection() as conn:
        return await feed.cursor(conn, call.access.source, after) or 0
