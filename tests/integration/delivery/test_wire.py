"""What goes over the wire, and what is kept of it."""

import asyncio
import time
from typing import Any

from aiohttp import web

from outbox import signing
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.receiver import Receiver
from tests.support.servers import ON_PG18
from tests.unit.outbox.samples import DAY


@ON_PG18
async def test_a_message_carries_the_headers_of_standard_webhooks(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
    (received,) = bench.receiver.received
    headers = received.headers
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("roomwire")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["webhook-id"].startswith("msg_")
    assert "cookie" not in headers
    (attempt,) = await bench.rows(
        "select webhook_id, type, hotel_id, keys, bytes, outcome, status from booking_engine.attempt"
    )
    assert attempt == (received.webhook_id, "booking.created", 7, 1, len(received.raw), "delivered", 204)


async def test_the_same_content_keeps_its_id_over_retries_and_workers(bench: Bench) -> None:
    await bench.endpoint()
    answers = [500, 408]

    async def stumbling(_message: dict[str, Any]) -> int:
        return answers.pop() if answers else 204

    bench.receiver.answer = stumbling
    await bench.documents.booking(7, booking_id(1))
    async with bench.delivering():
        await bench.receiver.until(lambda: len(bench.receiver.received) == 1)
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1), status="checked_in")
        await bench.idle()
    *same, other = (received.webhook_id for received in bench.receiver.received)
    assert len(same) == 3
    assert len(set(same)) == 1
    assert other not in same


@ON_PG18
async def test_two_endpoints_get_different_ids_for_the_same_content(bench: Bench) -> None:
    async with Receiver(signing.new_secret()) as other:
        await bench.endpoint("one")
        await bench.endpoint("two", to=other)
        async with bench.delivering():
            await bench.documents.booking(7, booking_id(1))
            await bench.idle()
        assert other.received[0].raw == bench.receiver.received[0].raw
        assert other.received[0].webhook_id != bench.receiver.received[0].webhook_id


@ON_PG18
async def test_guests_are_known_only_where_they_may_be(bench: Bench) -> None:
    async with Receiver(signing.new_secret()) as trusted:
        await bench.endpoint("anonymous")
        await bench.endpoint("trusted", to=trusted, guest_data=True)
        async with bench.delivering():
            await bench.documents.booking(7, booking_id(1))
            await bench.idle()
        words = ("佐藤", "misaki.sato", "090-5555", "22時")
        assert all(word in trusted.received[0].raw.decode() for word in words)
        assert not any(word in bench.receiver.received[0].raw.decode() for word in words)


@ON_PG18
async def test_messages_of_many_room_types_keep_to_the_size_that_the_endpoint_takes(bench: Bench) -> None:
    for room_type in range(8):
        await bench.documents.availability(7, room_type, nights(DAY, [n % 2 for n in range(30)]))
    await bench.endpoint(max_bytes=6_000)
    async with bench.delivering():
        await bench.idle()
    assert len(bench.receiver.accepted) == 4
    assert all(len(received.raw) <= 6_000 for received in bench.receiver.accepted)
    assert all(len(received.data["room_types"]) == 2 for received in bench.receiver.accepted)


@ON_PG18
async def test_a_single_thing_may_be_larger(bench: Bench) -> None:
    await bench.documents.availability(7, 1, nights(DAY, [n % 2 for n in range(731)]))
    await bench.documents.booking(7, booking_id(1), comment="長" * 60_000)
    await bench.endpoint(max_bytes=6_000, guest_data=True)
    async with bench.delivering():
        await bench.idle()
    sizes = sorted(len(received.raw) for received in bench.receiver.accepted)
    assert [size > limit for size, limit in zip(sizes, (50_000, 180_000), strict=True)] == [True, True]


@ON_PG18
async def test_only_changed_nights_are_sent_as_ranges(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.documents.availability(7, 1, nights(DAY, [2] * 10))
        await bench.idle()
        await bench.documents.availability(7, 1, nights(DAY, [3, 3, 11]))
        await bench.idle()
    first, second = (received.data["room_types"][0]["ranges"] for received in bench.receiver.accepted)
    assert first == [{"from": "2026-12-28", "until": "2027-01-07", "sellable": 10, "occupied": 2, "available": 8}]
    assert second == [
        {"from": "2026-12-28", "until": "2026-12-30", "sellable": 10, "occupied": 3, "available": 7},
        {"from": "2026-12-30", "until": "2026-12-31", "sellable": 10, "occupied": 11, "available": 0},
    ]


@ON_PG18
async def test_redirects_are_not_followed_and_cookies_not_kept(bench: Bench) -> None:
    async with Receiver(signing.new_secret()) as elsewhere:

        async def redirecting(_message: dict[str, Any]) -> web.Response:
            response = web.Response(status=308, headers={"location": elsewhere.url})
            response.set_cookie("session", "1")
            return response

        bench.receiver.answer = redirecting
        await bench.endpoint()
        async with bench.delivering():
            await bench.documents.booking(7, booking_id(1))
            await bench.receiver.until(lambda: len(bench.receiver.received) == 2)
        assert elsewhere.begun == 0
        assert "cookie" not in bench.receiver.received[1].headers


async def test_as_many_sends_at_once_as_the_endpoint_takes_and_no_more(bench: Bench) -> None:
    await bench.endpoint(concurrency=3)
    await bench.documents.bookings(7, 300)
    three = asyncio.Barrier(3)

    async def together(_message: dict[str, Any]) -> int:
        await three.wait()
        return 204

    bench.receiver.answer = together
    async with bench.delivering():
        await bench.idle()
    assert len(bench.receiver.accepted) == 300
    assert bench.receiver.most == 3


async def test_bookings_go_before_what_was_marked_with_them(bench: Bench) -> None:
    await bench.endpoint(concurrency=1)
    async with bench.delivering():
        await bench.idle()
    await bench.documents.availability(7, 1, nights(DAY, [2]))
    await bench.documents.hotel(7)
    await bench.documents.booking(7, booking_id(1))
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.types() == ["booking.created", "availability.updated", "hotel.updated"]


async def test_a_thing_that_changes_all_the_time_keeps_nobody_waiting(bench: Bench) -> None:
    """After each delivery it goes to the end of the queue, so that the snapshot's turn comes."""
    await bench.documents.hotel(7)
    await bench.documents.booking(7, booking_id(1))
    await bench.endpoint(concurrency=1)

    async def restless(message: dict[str, Any]) -> int:
        if "booking_id" in message["data"] and "hotel.snapshot" not in bench.receiver.types():
            await bench.documents.booking(7, booking_id(1), number_of_people=len(bench.receiver.received))
        return 204

    bench.receiver.answer = restless
    async with bench.delivering():
        await bench.receiver.until(lambda: "hotel.snapshot" in bench.receiver.types())
        await bench.idle()
