"""How a booking is answered: its document, with its version, where to find it, and as of when it is."""

from typing import Any

from pydantic import Field

from api.fields import AsOf, Stale
from api.freshness import Fresh, stamp
from api.request.problems import BASE
from api.request.routing import Reply
from outbox.delivery.compose import without_guests
from outbox.messages.documents import Booking, Version


class BookingListed(Booking):
    """A booking as `booking.created` tells it."""

    version: Version
    links: dict[str, str] = Field(description="Paths by what is found there: `self` is the booking.")


class BookingAnswer(BookingListed):
    """A booking, and how fresh that is."""

    as_of: AsOf
    stale: Stale


def said(body: dict[str, Any], version: int, *, guest_data: bool) -> dict[str, Any]:
    """A live booking. guest_data: whether the key may see names and contacts."""
    if not guest_data:
        without_guests(body)
    return {**body, "version": version, "links": {"self": f"{BASE}/bookings/{body['booking_id']}"}}


def reply(body: dict[str, Any], version: int, fresh: Fresh, *, guest_data: bool, status: int = 200) -> Reply:
    """The answer that a live booking is; its ETag is its version."""
    told = said(body, version, guest_data=guest_data)
    headers = {"Location": told["links"]["self"]} if status == 201 else {}
    return Reply(stamp(fresh) | told, status, headers, str(version))
