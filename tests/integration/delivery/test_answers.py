"""Whatever comes back from an endpoint is an outcome."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest
from structlog.testing import capture_logs

from outbox import signing
from outbox.delivery.outcome import Verdict, classify
from outbox.delivery.pump import Timing
from tests.integration.delivery.conftest import QUICK, Bench, eventually
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.receiver import Receiver, holding


async def test_a_hanging_endpoint_delays_nobody_else(bench: Bench) -> None:
    never = asyncio.Event()
    async with Receiver(signing.new_secret()) as other:
        other.answer = holding(never)
        await bench.endpoint("hanging", to=other)
        await bench.endpoint("quick")
        async with bench.delivering(Timing(lease=10, send=90, connect=1, poll=0.1, drain=0.1)):
            await bench.documents.bookings(7, 60)
            await bench.receiver.until(lambda: len(bench.receiver.accepted) == 60)
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
    assert "test_answers.py" in said["where"][-1]
    assert "secret" not in repr(logs)
    assert await bench.rows("select outcome, status from booking_engine.attempt order by at") == [
        ("outage", None),
        ("delivered", 204),
    ]
