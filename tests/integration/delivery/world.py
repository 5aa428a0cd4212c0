"""A small world of documents."""

from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.unit.outbox.samples import DAY


async def small_world(documents: Documents, *hotels: int) -> None:
    """Hotels with a room type, a plan with rates, nights, two bookings, one of them our own, and a deleted one."""
    for hotel in hotels:
        await documents.booking(hotel, booking_id(hotel * 100 + 1))
        await documents.booking(hotel, booking_id(hotel * 100 + 2), own=True)
        await documents.booking(hotel, booking_id(hotel * 100 + 3))
        await documents.delete("booking", hotel, booking_id(hotel * 100 + 3))
        await documents.availability(hotel, hotel * 10 + 1, nights(DAY, [1, 1, 2]))
        await documents.rates(hotel, "1h")
        await documents.plan(hotel, "1h")
        await documents.room_type(hotel, hotel * 10 + 1)
        await documents.hotel(hotel)
