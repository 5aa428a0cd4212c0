"""Endpoints that want it slower."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from outbox.delivery.pump import Timing
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id, nights
from tests.unit.outbox.samples import DAY


async def test_no_more_messages_a_second_than_the_endpoint_allows(bench: Bench) -> None:
    await bench.endpoint(rate_per_second=20.0)
    times: list[float] = []

    async def note(_message: dict[str, Any]) -> int:
        times.append(time.monotonic())
        return 204

    bench.receiver.answer = note
    async with bench.delivering():
        await bench.documents.bookings(7, 30)
        await bench.idle()
    assert times[-1] - times[0] > 29 / 20 * 0.9
    assert bench.receiver.most <= 8


async def test_who_says_that_it_is_too_much_gets_half_and_all_of_it_in_the_end(bench: Bench) -> None:
    await bench.endpoint(concurrency=8)
    under_way = 0

    async def easily_overrun(_message: dict[str, Any]) -> int:
        nonlocal under_way
        under_way += 1
        await asyncio.sleep(0.02)
        under_way -= 1
        return 429 if under_way >= 4 else 204

    bench.receiver.answer = easily_overrun
    async with bench.delivering():
        await bench.idle()
        await bench.documents.bookings(7, 120)
        await bench.idle(seconds=60)
        (row,) = await bench.rows("select pace < 1, paced_at is not null, status from booking_engine.endpoint")
        assert row == (True, True, "degraded")
    assert len({received.data["booking_id"] for received in bench.receiver.accepted}) == 120


async def test_a_slow_endpoint_gets_what_changes_meanwhile_in_one_message(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow: it keeps a quarter of its lanes, which is one."""
    monkeypatch.setattr("outbox.delivery.pace._SLOW", 0.01)
    await bench.endpoint(concurrency=4)
    gate = asyncio.Event()
    gate.set()

    async def slowly(_message: dict[str, Any]) -> int:
        await gate.wait()
        await asyncio.sleep(0.05)
        return 204

    async with bench.delivering(Timing(send=60, poll=0.1)):
        await bench.idle()
        bench.receiver.answer = slowly
        await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        await bench.idle()
        gate.clear()
        begun = bench.receiver.begun
        await bench.documents.booking(7, booking_id(2))
        bench.wake.set()
        await bench.receiver.until(lambda: bench.receiver.begun == begun + 1)
        for room_type in range(10):
            await bench.documents.availability(7, room_type, nights(DAY, [1, 2]))
            bench.wake.set()
        assert await bench.count("behind where kind = 'availability' and token is null") == 10
        gate.set()
        await bench.idle()
    (message,) = [received for received in bench.receiver.accepted if received.type == "availability.updated"]
    assert len(message.data["room_types"]) == 10


async def test_it_is_left_alone_for_as_long_as_it_asks_and_then_gets_everything(bench: Bench) -> None:
    await bench.endpoint(concurrency=1)
    asked = False

    async def once(_message: dict[str, Any]) -> int | web.Response:
        nonlocal asked
        if asked:
            return 204
        asked = True
        return web.Response(status=503, headers={"retry-after": "1"})

    bench.receiver.answer = once
    async with bench.delivering():
        await bench.idle()
        await bench.documents.bookings(7, 10)
        await bench.idle()
    first, second, *_ = bench.receiver.received
    assert second.at - first.at > 0.9
    assert len(bench.receiver.accepted) == 10
