"""Endpoints that are down, slow, busy or gone."""

import asyncio
import contextlib
import math
import random
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from outbox import endpoints, signing
from outbox.delivery.outcome import Verdict, classify
from outbox.delivery.pump import Timing
from outbox.metrics import REGISTRY
from tests.integration.delivery.conftest import QUICK, Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.receiver import Received, Receiver
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

        async def slowly(_message: dict[str, Any]) -> int:
            await gate.wait()
            return 204

        bench.receiver.answer = slowly
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


async def test_a_hanging_endpoint_delays_nobody_else(bench: Bench) -> None:
    never = asyncio.Event()

    async def hang(_message: dict[str, Any]) -> int:
        await never.wait()
        return 204

    async with Receiver(signing.new_secret()) as other:
        other.answer = hang
        await bench.endpoint("hanging", to=other)
        await bench.endpoint("quick")
        async with bench.delivering(Timing(lease=10, send=6, connect=1, poll=0.1, drain=0.1)):
            await bench.documents.bookings(7, 60)
            await bench.receiver.until(lambda: len(bench.receiver.accepted) == 60, 5)
            assert other.received == []
            never.set()


@contextlib.asynccontextmanager
async def _answering(raw: bytes) -> Any:
    """A server that answers anything with these bytes, then hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(
    ("raw", "outcome", "status"),
    [
        (b"", "outage", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "outage", None),
        (b"HTTP/1.1 301 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", "outage", 301),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\ncut off", "delivered", 200),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\0\xff\xed\xa0", "delivered", 200),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000, "delivered", 200),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope", "delivered", 200),
    ],
    ids=["nothing", "garbage", "redirect", "cut off", "no text", "endless", "wrongly encoded"],
)
async def test_whatever_comes_back_is_an_outcome(
    bench: Bench, raw: bytes, outcome: str, status: int | None
) -> None:
    async with _answering(raw) as url:
        await bench.endpoint(url=url)
        async with bench.delivering():
            await bench.idle()
            await bench.documents.booking(7, booking_id(1))

            async def recorded() -> bool:
                return await bench.count("attempt") > 0

            await eventually(recorded)
    rows = await bench.rows("select outcome, status, length(answer) from booking_engine.attempt limit 1")
    assert rows[0][:2] == (outcome, status)
    assert rows[0][2] is None or rows[0][2] <= 500


async def test_refused_connections_and_unknown_names_are_outages(bench: Bench) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        await bench.endpoint("refused", url=f"http://127.0.0.1:{unused.getsockname()[1]}/")
        await bench.endpoint("unknown", url="http://nowhere.invalid/")
        async with bench.delivering(QUICK):
            await bench.documents.booking(7, booking_id(1))

            async def both() -> bool:
                failing = (
                    "select count(*) from booking_engine.endpoint where failures > 0 and last_error is not null"
                )
                return bool(await bench.documents.value(failing) == 2)

            await eventually(both)


async def test_a_send_that_nobody_understands_is_an_outage_and_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that it ends is started anew only to end again, and all endpoints with it."""

    def stumble(status: int) -> Verdict:
        if status == 299:
            raise RecursionError("https://engine.example/?token=secret")
        return classify(status)

    async def odd_at_first(_message: dict[str, Any]) -> int:
        return 299 if bench.receiver.begun == 1 else 204

    monkeypatch.setattr("outbox.delivery.line.classify", stumble)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        bench.receiver.answer = odd_at_first
        with capture_logs() as logs:
            await bench.documents.booking(7, booking_id(1))
            await bench.idle()
    (said,) = [entry for entry in logs if entry["event"] == "send_not_understood"]
    assert (said["log_level"], said["endpoint"], said["type"]) == ("error", "engine", "booking.created")
    assert said["error"] == "RecursionError"
    assert "test_outages.py" in said["where"][-1]
    assert "secret" not in repr(logs)
    assert await bench.rows("select outcome, status from booking_engine.attempt order by at") == [
        ("outage", None),
        ("delivered", 204),
    ]
