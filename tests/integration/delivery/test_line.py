"""The way to an endpoint, over real sockets: reused connections, added headers, silence."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import pytest
from aiohttp import ClientSession

from outbox.delivery.connecting import Guard
from outbox.delivery.line import Line, open_session
from tests.integration.delivery.conftest import LOOPBACK
from tests.support.sockets import serving


async def request(reader: asyncio.StreamReader) -> bytes:
    """One request whose body is `{}`."""
    return await reader.readuntil(b"{}")


async def test_a_connection_is_kept_for_longer_than_a_heartbeat_takes(session: ClientSession) -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(3):
            await request(reader)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()

    async with serving(handle) as port:
        line = Line(session, f"http://127.0.0.1:{port}/")
        assert [(await line.post(b"{}", {})).verdict for _ in range(3)] == ["delivered"] * 3
    assert connections == 1
    assert session.connector is not None
    assert (session.connector._keepalive_timeout or 0) > 60


@pytest.mark.parametrize("ending", ["closed", "reset"])
async def test_a_kept_connection_that_ends_as_it_is_used_again_is_no_outage(
    session: ClientSession, ending: str
) -> None:
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request(reader))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        heard.append(await request(reader))
        if ending == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with serving(handle) as port:
        line = Line(session, f"http://127.0.0.1:{port}/")
        outcomes = [await line.post(b"{}", {"webhook-id": str(number)}) for number in range(2)]
    assert [outcome.verdict for outcome in outcomes] == ["delivered"] * 2
    assert [b"webhook-id: 1" in one.lower() for one in heard] == [False, True, True]


async def test_a_new_connection_that_closes_is_an_outage_at_once(session: ClientSession) -> None:
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request(reader))

    async with serving(handle) as port:
        outcome = await Line(session, f"http://127.0.0.1:{port}/").post(b"{}", {})
    assert (outcome.verdict, outcome.forbidden, len(heard)) == ("outage", False, 1)


async def test_a_token_that_is_refused_by_name_is_hidden(session: ClientSession) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        said = b"no such key: t0ken-of-ours, nor other-t0ken; from kyoto"
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said))
        await writer.drain()

    async with serving(refuse) as port:
        url = f"http://127.0.0.1:{port}/?key=other-t0ken&from=kyoto"
        outcome = await Line(session, url, headers={"Authorization": "Bearer t0ken-of-ours"}).post(b"{}", {})
    assert outcome.answer == "no such key: …, nor …; from kyoto"


async def test_headers_are_added_and_shown_to_nobody(session: ClientSession) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await request(reader)
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said))
        await writer.drain()

    async with serving(echo) as port:
        line = Line(session, f"http://127.0.0.1:{port}/?s3cret=1", headers={"Authorization": "Bearer t0ken"})
        outcome = await line.post(b"{}", {"webhook-id": "msg_1"})
    assert outcome.answer is not None
    assert "authorization: …" in outcome.answer.lower()
    assert "webhook-id: msg_1" in outcome.answer.lower()
    for text in (repr(line), repr(outcome)):
        assert "t0ken" not in text
    assert "s3cret" not in repr(outcome)


@pytest.mark.parametrize("said", [b"HTTP/1.1 what?\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n", b""])
async def test_no_failure_tells_the_query(session: ClientSession, said: bytes) -> None:
    """Whatever the other side does before it has read, or though it reads nothing."""

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with serving(babble) as port:
        line = Line(session, f"http://127.0.0.1:{port}/hook?token=s3cret%20%E9%80%9A")
        outcomes = [await line.post(b"x" * size, {}) for size in (2, 500_000) for _ in range(3)]
    assert "s3cret" not in repr(outcomes)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_never_answers_is_given_up(scheme: str) -> None:
    """A greeting within `connect` seconds, everything within `total`."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass

    connect, total = (60.0, 0.2) if scheme == "http" else (0.2, 60.0)
    async with serving(swallow) as port, open_session(Guard(LOOPBACK, encrypted=True), connect=connect) as session:
        async with asyncio.timeout(30):
            outcome = await Line(session, f"{scheme}://127.0.0.1:{port}/", total=total).post(b"{}", {})
    assert (outcome.verdict, outcome.status) == ("outage", None)
    assert "timeout" in (outcome.error or "").lower()


async def test_the_status_stands_whatever_becomes_of_the_answer(session: ClientSession) -> None:
    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthanks")
        await reader.read()

    async with serving(dribble) as port:
        outcome = await Line(session, f"http://127.0.0.1:{port}/", total=2.0).post(b"{}", {})
    assert (outcome.verdict, outcome.answer) == ("delivered", "thanks")


async def test_of_an_endless_answer_little_is_read(session: ClientSession) -> None:
    taken = 0

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 10_000)
                await writer.drain()
                taken += 10_000

    async with serving(babble) as port:
        outcome = await Line(session, f"http://127.0.0.1:{port}/").post(b"{}", {})
    assert (outcome.verdict, outcome.answer) == ("delivered", "x" * 500)
    assert taken < 20_000_000, "what sockets hold on their way may be more than is read"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 503 no\r\nretry-after: Mon, 01 Jan 9999999999999999999 00:00:00 GMT\r\ncontent-length:0\r\n\r\n",
        b"HTTP/1.1 503 no\r\nretry-after: Mon, 01 Jan 2026 00:00:00 +99999999999999\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 no\r\nretry-after: " + b"9" * 6000 + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 no\r\nretry-after: \xff\xb2\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 no\r\ncontent-type: text/html; charset=\xff\r\ncontent-length: 1\r\n\r\n\xff",
        b"HTTP/1.1 503 no\r\ncontent-encoding: br\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 503 no\r\nset-cookie: \x01=\x02; max-age=9999999999999999999999\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 no\r\nlink: <http://[>; rel=x\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 no\r\nlocation: http://[::bad\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 503 no\r\nx: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 503 no\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 503 no\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 503 no\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nabc\r\n",
        b"HTTP/1.1 503 no\r\ntransfer-encoding: chunked\r\n\r\n" + b"F" * 30 + b"\r\nabc\r\n",
        b"HTTP/1.1 503 no\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 101 no\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x00",
        b"HTTP/1.1 100 no\r\n\r\n" * 50,
        b"HTTP/1.1 000 no\r\n\r\n",
        b"HTTP/1.1 99999 no\r\n\r\n",
        b"HTTP/1.1 abc no\r\n\r\n",
        b"HTTP/1.1 503 \xff\xfe\0\r\n\r\n",
        b"HTTP/9.9 503 no\r\n\r\n",
        b"\x16\x03\x01",
        b"\r\n\r\n\r\n",
    ],
    ids=lambda said: said.decode(errors="replace")[:40],
)
async def test_nonsense_is_an_outage(session: ClientSession, said: bytes) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(said)
        await writer.drain()

    async with serving(babble) as port:
        outcome = await Line(session, f"http://127.0.0.1:{port}/", total=5.0).post(b"{}", {})
    assert outcome.verdict == "outage"
    assert "\0" not in (outcome.error or "")
