"""Endpoints that are down, slow, busy or gone."""

import asyncio
import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web

from outbox import endpoints, signing
from outbox.metrics import REGISTRY
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.receiver import Received, Receiver, holding
from tests.unit.outbox.samples import DAY


async def failing(_message: dict[str, Any]) -> int:
    return 503


async def accepting(_message: dict[str, Any]) -> int:
    return 204


async def probe_at_once(bench: Bench) -> None:
    """Make the next probe due: pauses grow up to 15 s."""
    await bench.documents.conn.execute(
        "update booking_engine.endpoint set retry_at = now() where status = 'paused'"
    )


async def test_an_endpoint_that_was_down_gets_the_net_state_in_few_messages(bench: Bench) -> None:
    await bench.endpoint()
    chance = random.Random(5)
    bench.receiver.answer = failing
    async with bench.delivering():
        await bench.idle()
        for _ in range(300):
            number = chance.randrange(12)
            await bench.documents.booking(7, booking_id(number), number_of_people=chance.randrange(1, 5))
            await bench.documents.availability(7, number % 3, nights(DAY, [chance.randrange(9) for _ in range(5)]))
        await paused(bench)
        bench.receiver.answer = accepting
        await probe_at_once(bench)
        await bench.idle()

        async def back() -> bool:
            return await bench.rows("select failures, retry_at from booking_engine.endpoint") == [(0, None)]

        await eventually(back)
    accepted = bench.receiver.accepted
    assert len(accepted) <= 12 + 3
    bookings = [received.data["booking_id"] for received in accepted if "booking_id" in received.data]
    assert sorted(bookings) == sorted(booking_id(number) for number in range(12))


async def test_an_outage_uses_up_no_tries_and_is_probed_by_one_message_at_a_time(bench: Bench) -> None:
    await bench.endpoint(concurrency=4)
    bench.receiver.answer = failing
    async with bench.delivering():
        await bench.idle()
        await bench.documents.bookings(7, 60)
        await paused(bench)
        before = len(bench.receiver.received)
        assert 10 <= before < 30, "ten, and what was on its way"
        failures = "select failures from booking_engine.endpoint"
        first = await bench.documents.value(failures)

        async def probed() -> bool:
            return bool(await bench.documents.value(failures) >= first + 2)

        await eventually(probed)
        probes = await bench.documents.value(failures) - first
        assert len(bench.receiver.received) <= before + probes + 1
        rows = await bench.rows("select sum(tries), count(rejected_at) from booking_engine.behind")
        assert rows == [(0, 0)]
        bench.receiver.answer = accepting
        await probe_at_once(bench)
        await bench.idle()
    assert len(bench.receiver.accepted) == 60


async def paused(bench: Bench) -> None:
    """Wait until the breaker has paused the endpoint and nothing is on its way."""

    async def so() -> bool:
        status = await bench.rows("select status, retry_at is not null from booking_engine.endpoint")
        return status == [("paused", True)] and await bench.count("behind where token is not null") == 0

    await eventually(so)


async def test_a_third_of_failures_stops_nothing(bench: Bench) -> None:
    """Each key that failed waits by itself; all others go through meanwhile."""
    await bench.endpoint("third", concurrency=4)
    chance = random.Random(7)

    async def unreliable(_message: dict[str, Any]) -> int:
        return 503 if chance.random() < 1 / 3 else 204

    bench.receiver.answer = unreliable
    async with bench.delivering():
        await bench.idle()
        await bench.documents.bookings(7, 300)
        await bench.receiver.until(lambda: len(bench.receiver.received) >= 300)
        assert shortest_wait(bench.receiver.received) > 0.3, "a key that failed waits by itself"
        assert await bench.rows("select status from booking_engine.endpoint") == [("degraded",)]
        bench.receiver.answer = accepting
        await bench.idle(seconds=60)
    assert len({received.data["booking_id"] for received in bench.receiver.accepted}) == 300
    assert (
        REGISTRY.get_sample_value("roomwire_endpoint_changes_total", {"endpoint": "third", "state": "paused"})
        is None
    )


def shortest_wait(received: Sequence[Received]) -> float:
    """Seconds between two tries of the same booking."""
    tried: dict[str, float] = {}
    waits = [math.inf]
    for one in received:
        key = one.data["booking_id"]
        waits.append(one.at - tried.get(key, -math.inf))
        tried[key] = one.at
    return min(waits)


async def test_what_waits_after_a_failure_is_sent_as_soon_as_the_endpoint_is_back(bench: Bench) -> None:
    await bench.endpoint()
    bench.receiver.answer = failing
    async with bench.delivering():
        await bench.idle()
        await bench.documents.bookings(7, 12)
        await paused(bench)
        await bench.documents.conn.execute(
            "update booking_engine.behind set not_before = now() + interval '1 hour', outages = 9"
        )
        bench.receiver.answer = accepting
        await probe_at_once(bench)
        await bench.idle()
    assert len(bench.receiver.accepted) == 12


async def test_a_new_version_is_sent_at_once_though_the_one_before_waits(bench: Bench) -> None:
    await bench.endpoint()
    bench.receiver.answer = failing
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))

        async def waiting() -> bool:
            return await bench.count("behind where token is null and outages > 0") == 1

        await eventually(waiting)
        bench.receiver.answer = accepting
        await bench.documents.conn.execute(
            "update booking_engine.behind set not_before = now() + interval '1 hour'"
        )
        await bench.documents.booking(7, booking_id(1), status="checked_in")
        await bench.idle()
    assert bench.receiver.types() == ["booking.updated"]


async def test_an_endpoint_gets_well_by_itself(bench: Bench) -> None:
    """Without a message: its last one was answered, and ten seconds have gone by."""
    await bench.endpoint()
    bench.receiver.answer = failing
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))
        await bench.receiver.until(lambda: len(bench.receiver.received) == 1)
        bench.receiver.answer = accepting
        await bench.idle()
        await bench.documents.conn.execute(
            "update booking_engine.endpoint set failed_at = now() - interval '1 hour'"
        )

        async def well() -> bool:
            known = "select status, reason, failures, last_error from booking_engine.endpoint"
            return await bench.rows(known) == [("healthy", None, 0, None)]

        await eventually(well)


async def test_one_that_its_operator_paused_gets_nothing_but_marks(bench: Bench) -> None:
    await bench.endpoint(heartbeat_seconds=1)
    async with bench.delivering():
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 1)
        await bench.documents.conn.execute(
            "update booking_engine.endpoint set status = 'paused', retry_at = null, reason = 'at night'"
        )
        begun = bench.receiver.begun
        await bench.documents.booking(7, booking_id(1))
        bench.wake.set()
        async with Receiver(signing.new_secret()) as other:
            await bench.endpoint("other", to=other, heartbeat_seconds=1)
            await other.until(lambda: "heartbeat" in other.types() and "booking.created" in other.types())
        assert await bench.count("behind where endpoint_id = 1 and token is null") == 1
        assert bench.receiver.begun <= begun + 1, "a heartbeat may have been on its way"
        assert set(bench.receiver.types()) == {"heartbeat"}
        await bench.documents.conn.execute(
            "update booking_engine.endpoint set status = 'healthy' where name = 'engine'"
        )
        await bench.receiver.until(lambda: "booking.created" in bench.receiver.types())


async def test_one_of_two_workers_probes(bench: Bench) -> None:
    await bench.endpoint()
    bench.receiver.answer = failing
    async with bench.delivering(), bench.delivering():
        await bench.idle()
        await bench.documents.bookings(7, 30)
        await paused(bench)
        gate = asyncio.Event()
        bench.receiver.answer = holding(gate)
        begun = bench.receiver.begun
        await bench.receiver.until(lambda: bench.receiver.begun > begun)
        probing = "select status, retry_at > now() from booking_engine.endpoint"
        assert await bench.rows(probing) == [("paused", True)]
        assert bench.receiver.begun == begun + 1
        gate.set()
        await bench.idle()


@pytest.mark.parametrize("status", [429, 502, 504])
async def test_a_busy_endpoint_is_left_alone_as_long_as_it_asks(bench: Bench, status: int) -> None:
    await bench.endpoint(concurrency=1)

    async def busy(_message: dict[str, Any]) -> web.Response:
        return web.Response(status=status, headers={"retry-after": "500"})

    bench.receiver.answer = busy
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))
        waiting = (
            "select failures, extract(epoch from retry_at - now()) between 490 and 600 from booking_engine.endpoint"
        )

        async def left_alone() -> bool:
            return await bench.rows(waiting) == [(1, True)]

        await eventually(left_alone)
    outcomes = "select outcome, status, error from booking_engine.attempt"
    assert await bench.rows(outcomes) == [("throttled", status, f"HTTP {status}")]


async def test_an_endpoint_that_is_gone_is_disabled_and_gets_no_marks(bench: Bench) -> None:
    await bench.endpoint()

    async def gone(_message: dict[str, Any]) -> int:
        return 410

    bench.receiver.answer = gone
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))

        async def disabled() -> bool:
            return await bench.rows("select status, reason from booking_engine.endpoint") == [
                ("disabled", "it answered 410 Gone")
            ]

        await eventually(disabled)
        marks = await bench.count("behind")
        await bench.documents.booking(7, booking_id(2))
        assert await bench.count("behind") == marks
        bench.receiver.answer = accepting
        await bench.documents.hotel(7)
        await endpoints.enable(bench.documents.conn, "engine")
        await bench.idle()
    assert sorted(bench.receiver.types()) == ["booking.created"] * 2 + ["hotel.snapshot", "hotel.updated"]
