"""Bytes that are no HTTP, and bodies that do not come."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from api.request import parsing
from tests.support.api import BACKGROUND, Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


async def exchange(api: Api, sent: bytes) -> bytes:
    """The problem that comes back for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.split(":")[2].split("/")[0]))
    try:
        writer.write(sent)
        async with asyncio.timeout(60):
            return await reader.readuntil(b"}")
    finally:
        writer.close()
        await writer.wait_closed()


async def test_what_is_no_http_is_told_so_and_not_repeated(api: Api) -> None:
    for sent in (
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization Bearer s3cret\r\n\r\n",
        b"s3cret\r\n\r\n",
        b"GET /" + b"s3cret" * 2_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"s3cret" * 9_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nX: s3cret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: s3cret\r\n\r\n",
    ):
        with structlog.testing.capture_logs() as logs:
            answer = await exchange(api, sent)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 400 " in head.splitlines()[0], sent
        assert b"application/problem+json" in head
        assert b'"code":"bad_http"' in body
        assert b"s3cret" not in answer
        assert b"aiohttp" not in answer
        assert not [line for line in logs if line["event"] not in BACKGROUND]


async def test_a_body_that_does_not_come_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "BODY_SECONDS", 0.2)
    head = f"POST /api/booking-engine/auth/token HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.mine}\r\n"
    begun = head.encode() + b"Connection: close\r\nContent-Type: application/json\r\n"
    for body, code in (
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"bad_http"),
        (b"Content-Length: 40\r\n\r\n{", b"request_timeout"),
    ):
        with structlog.testing.capture_logs() as logs:
            answer = await exchange(api, begun + body)
        assert b'"code":"' + code in answer, body
        assert not [line for line in logs if line["event"] not in BACKGROUND]
