"""How a booking is answered: its document, with its version and where to find it."""

from typing import Any

from pydantic import Field

from api.problems import BASE
from api.routing import Reply
from outbox.delivery.compose import without_guests
from outbox.messages.documents import Booking, Version
from sql.documents import Document


class BookingAnswer(Booking):
    """A booking as `booking.created` tells it."""

    version: Version
    links: dict[str, str] = Field(description="Paths by what is found there: `self` is the booking.")


def said(body: dict[str, Any], version: int, *, guest_data: bool) -> dict[str, Any]:
    """A live booking. guest_data: whether the key may see names and contacts."""
    if not guest_data:
        without_guests(body)
    return {**body, "version": version, "links": {"self": f"{BASE}/bookings/{body['booking_id']}"}}


def reply(document: Document, *, guest_data: bool, status: int = 200) -> Reply:
    """The answer that a live booking is; its ETag is its version."""
    assert document.body is not None  # a tombstone is no booking
    told = said(document.body, document.version, guest_data=guest_data)
    headers = {"Location": told["links"]["self"]} if status == 201 else {}
    return Reply(told, status, headers, str(document.version))
