"""How a booking is answered: its document, with its version and where to find it."""

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


def reply(document: Document, *, guest_data: bool, status: int = 200) -> Reply:
    """A live booking; its ETag is its version. guest_data: whether the key may see names and contacts."""
    assert document.body is not None  # a tombstone is no booking
    body = document.body
    if not guest_data:
        without_guests(body)
    path = f"{BASE}/bookings/{body['booking_id']}"
    headers = {"Location": path} if status == 201 else {}
    return Reply(
        {**body, "version": document.version, "links": {"self": path}}, status, headers, str(document.version)
    )
