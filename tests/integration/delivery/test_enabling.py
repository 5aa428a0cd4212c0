"""What becomes of an endpoint's marks when it is enabled again, or removed."""

import pytest

from outbox import endpoints
from outbox.settings import EndpointError
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.world import small_world


async def test_a_hotel_that_went_while_an_endpoint_was_disabled_is_said_to_be_gone(bench: Bench) -> None:
    await bench.endpoint()
    await small_world(bench.documents, 7)
    async with bench.delivering():
        await bench.idle()
        await endpoints.disable(bench.documents.conn, "engine")
        await bench.documents.delete("hotel", 7, "")
        assert await bench.count("behind") == 0
        before = len(bench.receiver.accepted)
        await endpoints.enable(bench.documents.conn, "engine")
        await bench.idle()
    assert "hotel.deleted" in bench.receiver.types()[before:]


async def test_enabling_clears_what_was_left_of_former_times(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.booking(7, booking_id(1))
    async with bench.delivering():
        await bench.idle()
    await bench.documents.delete("booking", 7, booking_id(1))
    assert await bench.count("behind") == 1
    await endpoints.disable(bench.documents.conn, "engine")
    await endpoints.enable(bench.documents.conn, "engine")
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.types() == ["booking.created"]


async def test_removing_an_endpoint_leaves_nothing_of_it(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.bookings(7, 50)
    await endpoints.remove(bench.documents.conn, "engine")
    assert await bench.count("endpoint") == await bench.count("behind") == 0
    with pytest.raises(EndpointError, match="no endpoint named 'engine'"):
        await endpoints.remove(bench.documents.conn, "engine")
