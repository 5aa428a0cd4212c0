"""What the feed answers."""

from collections.abc import Sequence
from datetime import date

import orjson
from pydantic import AwareDatetime, Field

from api.events.asked import CursorName, Position
from api.events.reading import Event, Read
from api.fields import AsOf, Stale
from api.freshness import Fresh, stamped
from api.request.routing import Answer, Asked
from outbox.delivery.compose import Message, rfc3339
from outbox.messages.examples import EXAMPLES
from outbox.messages.kinds import (
    Availability,
    BookingState,
    GoneBooking,
    GoneHotel,
    GonePlan,
    GoneRates,
    GoneRoomType,
    HotelState,
    PlanState,
    RatesState,
    RoomTypeState,
)
from sql.snapshots import Start

_POSITION = 1_795_401_296_214_907

Data = (
    Availability
    | BookingState
    | HotelState
    | RoomTypeState
    | PlanState
    | RatesState
    | GoneBooking
    | GoneHotel
    | GoneRoomType
    | GonePlan
    | GoneRates
)


class MessageAnswer(Answer):
    """What a webhook says."""

    type: str = Field(description="As a webhook's `type`.", examples=["booking.updated"])
    timestamp: AwareDatetime = Field(
        description="When the PMS committed the newest change that this message carries (RFC 3339, UTC)."
    )
    data: Data = Field(
        description="As a webhook's `data`: what is newest now, in absolute values, with its version."
    )


class EventAnswer(MessageAnswer):
    """An event: what a webhook says, and its position."""

    position: Position


class EventsAnswer(Answer):
    """Events in the order of their positions."""

    events: list[EventAnswer] = Field(
        description="There may be fewer than `limit`, even none, though there are `more`: what changed again is"
        " told by the later event only."
    )
    position: Position = Field(
        description="Where to read on, and what to acknowledge once you have kept all of this."
    )
    more: bool = Field(description="Whether there are more now.")
    as_of: AsOf
    stale: Stale


class SnapshotAnswer(Answer):
    """A page of everything there is."""

    messages: list[MessageAnswer] = Field(
        description="As they are now: hotels first, then room types, plans, rates, availability, and bookings."
    )
    page: str | None = Field(description="Names the next page; null after the last.")
    position: Position = Field(description="Where to follow the events from, once every page is read.")
    check_out_from: date = Field(description="Bookings that ended before this day are not listed; keep them.")
    as_of: AsOf
    stale: Stale


class AckAsked(Asked):
    """How far you have read."""

    cursor: CursorName
    position: Position


class CursorAnswer(Answer):
    """A cursor and where it stands."""

    cursor: CursorName
    position: Position
    acked_at: AwareDatetime = Field(description="When it was last acknowledged (RFC 3339, UTC).")


class CursorsAnswer(Answer):
    """Your cursors, by name."""

    cursors: list[CursorAnswer] = Field(description="By name.")


def event(one: Event) -> dict[str, object]:
    """An event as it is said."""
    return {"position": one.position, **_said(one.message)}


def events(read: Read, fresh: Fresh) -> bytes:
    """A page of them."""
    said = {"events": [event(one) for one in read.events], "position": read.end, "more": read.more}
    return stamped(fresh, orjson.dumps(said))


def snapshot(messages: Sequence[Message], start: Start, page: str | None, fresh: Fresh) -> bytes:
    """A page of everything there is."""
    said = {"messages": [_said(one) for one in messages], "page": page, **start._asdict()}
    return stamped(fresh, orjson.dumps(said))


def _said(message: Message) -> dict[str, object]:
    return {
        "type": message.type,
        "timestamp": rfc3339(message.timestamp),
        "data": orjson.Fragment(message.data),
    }


_FRESH = {"as_of": "2026-11-23T05:14:56.118204Z", "stale": False}


def example_events(*types: str) -> dict[str, object]:
    """A page with an event of each of these types."""
    shown = [{"position": _POSITION + n, **EXAMPLES[one]} for n, one in enumerate(types)]
    return _FRESH | {"events": shown, "position": shown[-1]["position"], "more": False}


def example_snapshot(*types: str) -> dict[str, object]:
    """A page with a message of each of these types."""
    shown = [EXAMPLES[one] for one in types]
    return _FRESH | {"messages": shown, "page": None, "position": _POSITION, "check_out_from": "2026-10-24"}
