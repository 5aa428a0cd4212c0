"""A webhook endpoint that keeps what it gets and answers as it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from outbox.messages import parse


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came. at: when it was answered, in seconds of the monotonic clock."""

    at: float
    webhook_id: str
    headers: dict[str, str]
    raw: bytes
    status: int
    query: str

    @property
    def message(self) -> dict[str, Any]:
        """The body as JSON."""
        message: dict[str, Any] = orjson.loads(self.raw)
        return message

    @property
    def type(self) -> str:
        """The message's type."""
        return str(self.message["type"])

    @property
    def data(self) -> dict[str, Any]:
        """The message's data object."""
        data: dict[str, Any] = self.message["data"]
        return data


Answer = Callable[[dict[str, Any]], Awaitable[int | web.Response]]


def holding(gate: asyncio.Event, status: int = 204) -> Answer:
    """An answer that everybody waits for until the gate is opened."""

    async def hold(_message: dict[str, Any]) -> int:
        await gate.wait()
        return status

    return hold


class Receiver:
    """An endpoint on a free port; an asynchronous context manager.

    Every request's signature and shape are checked; leaving fails if one was wrong.

    Attributes:
        answer: what to answer to a message: a status, or a response. May take its time.
        received: what came and was answered, in the order of arrival.
        begun: requests that came, answered or not.
        most: the largest number of requests that were under way at the same time.
    """

    def __init__(self, secret: str, *, port: int = 0) -> None:
        self.answer: Answer = _accept
        self.received: list[Received] = []
        self.begun = 0
        self.most = 0
        self._under_way = 0
        self._wrong: list[str] = []
        self._secret = secret
        self._port = port
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self._port}/hook"

    @property
    def accepted(self) -> list[Received]:
        """What was answered with success."""
        return [received for received in self.received if 200 <= received.status < 300]

    def types(self) -> list[str]:
        """The types of what was accepted, in order."""
        return [received.type for received in self.accepted]

    def verify(self, raw: bytes, headers: dict[str, str]) -> None:
        """Take what the secret has signed.

        Raises:
            WebhookVerificationError: it has not.
        """
        Webhook(self._secret).verify(raw, headers)

    async def until(self, condition: Callable[[], bool], limit: float = 60) -> None:
        """Wait until a condition holds, looking again whenever something came or was answered."""
        async with asyncio.timeout(limit):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=2**22)
        application.router.add_post("/hook", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        assert self._wrong == []

    async def _handle(self, request: web.Request) -> web.Response:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            self.verify(raw, headers)
            parse(raw)
        except (WebhookVerificationError, ValueError) as error:
            self._wrong.append(f"{error!r} in {raw!r}")
            return web.Response(status=500)
        self.begun += 1
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        self._changed.set()
        try:
            given = await self.answer(orjson.loads(raw))
        finally:
            self._under_way -= 1
        response = given if isinstance(given, web.Response) else web.Response(status=given)
        self.received.append(
            Received(time.monotonic(), headers["webhook-id"], headers, raw, response.status, request.query_string)
        )
        self._changed.set()
        return response


async def _accept(_message: dict[str, Any]) -> int:
    return 204
