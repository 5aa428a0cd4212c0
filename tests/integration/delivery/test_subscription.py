"""Endpoints that are told of some things only."""

import pytest

from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.world import small_world
from tests.unit.outbox.samples import DAY


@pytest.mark.parametrize(
    ("types", "told", "listed"),
    [
        (["availability"], {"availability.updated"}, (True, False, False)),
        (["booking"], {"booking.created"}, (False, False, True)),
        (["plan", "rates"], {"plan.updated", "rates.updated"}, (False, True, False)),
    ],
)
async def test_an_endpoint_is_told_of_its_types_alone(
    bench: Bench, types: list[str], told: set[str], listed: tuple[bool, bool, bool]
) -> None:
    await small_world(bench.documents, 7)
    await bench.endpoint(types=types)
    async with bench.delivering():
        await bench.idle()
        assert set(bench.receiver.types()) == told | {"hotel.snapshot"}
        (closing,) = [received.data for received in bench.receiver.accepted if received.type == "hotel.snapshot"]
        lists = (closing["room_type_ids"], closing["plan_keys"], closing["bookings"])
        assert tuple(one is not None for one in lists) == listed, "what it is not told of is not listed"
        before = len(bench.receiver.accepted)
        await bench.documents.hotel(7, name="別館")
        await bench.documents.room_type(7, 71, name="別の部屋")
        await bench.documents.plan(7, "1h", name="別のプラン")
        await bench.documents.rates(7, "1h", plan_type="per_person")
        await bench.documents.availability(7, 71, nights(DAY, [4]))
        await bench.documents.booking(7, booking_id(709))
        await bench.idle()
    assert {received.type for received in bench.receiver.accepted[before:]} == told
