"""From a document to a webhook."""

from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id


async def test_a_new_booking_arrives_once_and_is_acknowledged(bench: Bench) -> None:
    await bench.endpoint(guest_data=True)
    async with bench.delivering():
        await bench.idle()
        version = await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1)
        await bench.idle()
    (received,) = bench.receiver.received
    assert (received.type, received.data["version"]) == ("booking.created", version)
    assert received.data["guest"]["name"] == "佐藤 美咲"
