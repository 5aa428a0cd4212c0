"""What is due at a certain time is sent then, though nobody looks at the queue."""

import asyncio
import time
from typing import Any

import pytest

from outbox.delivery.alarm import Alarm
from outbox.delivery.pump import Timing
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.receiver import holding

SELDOM = Timing(send=60, poll=600)
"""Looks at the whole queue once, and not again while a test lasts."""


async def prepared(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")


async def test_a_retry_is_made_when_its_pause_is_over(bench: Bench) -> None:
    """Two, one after the other: each by a time of its own."""
    failures = 2

    async def fail_at_first(_message: dict[str, Any]) -> int:
        return 500 if bench.receiver.begun <= failures else 204

    bench.receiver.answer = fail_at_first
    await prepared(bench)
    await bench.documents.booking(7, booking_id(1))
    async with bench.delivering(SELDOM):
        await bench.idle()
    at = [one.at for one in bench.receiver.received]
    assert len(at) == failures + 1
    for pause, earlier, later in zip((0.5, 1.0), at, at[1:], strict=False):
        assert later - earlier > 0.8 * pause


async def test_what_others_left_waiting_is_sent_when_its_pause_is_over(bench: Bench) -> None:
    await prepared(bench)
    await bench.documents.bookings(7, 2)
    conn = bench.documents.conn
    begun = time.monotonic()
    await conn.execute("update booking_engine.behind set outages = 1, not_before = now() + interval '1 s'")
    async with bench.delivering(SELDOM):
        await bench.idle()
    assert bench.receiver.received[0].at - begun > 0.9


async def test_many_whose_pauses_are_over_together_are_all_sent(bench: Bench) -> None:
    """More than one claim takes of them."""
    await prepared(bench)
    await bench.documents.bookings(7, 60)
    conn = bench.documents.conn
    await conn.execute("update booking_engine.behind set outages = 1, not_before = now() + interval '0.3 s'")
    async with bench.delivering(SELDOM):
        await bench.idle()
    assert len(bench.receiver.accepted) == 60


async def test_what_was_marked_during_its_send_is_sent_next_however_old_it_is(bench: Bench) -> None:
    """As a replay marks it: at a place in the queue that nobody looks at any more."""
    gate = asyncio.Event()
    bench.receiver.answer = holding(gate)
    await prepared(bench)
    await bench.documents.booking(7, booking_id(1))
    async with bench.delivering(SELDOM):
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        await bench.documents.conn.execute(
            "update booking_engine.behind set again = true, place = place - 60000000, acked = 1"
        )
        gate.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 2)
    first, second = bench.receiver.accepted
    assert first.data["version"] == second.data["version"]


async def test_an_alarm_rings_for_each_time_and_never_early() -> None:
    loop, rung = asyncio.get_running_loop(), list[float]()
    alarm = Alarm(lambda: rung.append(loop.time()))
    begun = loop.time()
    for seconds in (0.2, 0.05, 0.05, 0.051, 0.2, 30.0):
        alarm.ring_in(seconds)
    assert len(alarm._times) <= 4, "what is due together is noted once"
    async with asyncio.timeout(20):
        while not rung or rung[-1] - begun < 0.2:  # noqa: ASYNC110  # rings set no event
            await asyncio.sleep(0.01)
    assert rung[0] - begun >= 0.05
    assert len(rung) <= 3
    alarm.stop()
    assert alarm._timer is None


@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_an_alarm_for_what_is_past_rings_at_once(seconds: float) -> None:
    rung = asyncio.Event()
    Alarm(rung.set).ring_in(seconds)
    async with asyncio.timeout(20):
        await rung.wait()
