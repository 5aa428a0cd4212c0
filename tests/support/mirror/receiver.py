"""The mirror's HTTP side: verify, apply, answer; and misbehave on request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.mirror.state import Mirror, keys_in
from tests.support.truth import Key

Mode = Literal["ok", "down", "hang", "apply-then-500"]
LARGEST_BODY = 4 * 1024 * 1024


class Receiver:
    """A webhook endpoint on a free port of this machine; an asynchronous context manager.

    Attributes:
        mirror: What it has been told.
        mode: ok; down answers 503 unread; hang answers when the mode changes, and applies nothing;
            apply-then-500 applies what it denies having taken.
        rejected: Keys whose messages are answered with 422 and not applied.
        attempts: Requests by the status they were answered with.
        hanging: Requests that wait for the mode to change.
    """

    def __init__(self, secret: str, *, mirror: Mirror | None = None, port: int = 0) -> None:
        self.mirror = mirror or Mirror()
        self.secret = secret
        self.rejected: set[Key] = set()
        self.attempts: dict[int, int] = {}
        self.hanging = 0
        self._mode: Mode = "ok"
        self._port = port
        self._changed = asyncio.Event()
        self._mode_changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self._port}/webhooks"

    @property
    def mode(self) -> Mode:
        """How requests are answered now."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._mode_changed.set()
        self._mode_changed = asyncio.Event()

    def application(self) -> web.Application:
        """The aiohttp application, to be served together with other routes."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_post("/webhooks", self._handle)
        return application

    async def until(self, condition: Callable[[], bool], limit: float = 30) -> None:
        """Wait until a condition holds, looking again whenever requests have come.

        Raises:
            TimeoutError: It did not within `limit` seconds.
        """
        async with asyncio.timeout(limit):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def reject(self, keys: Iterable[Key]) -> None:
        """Reject messages that speak of these keys, instead of those rejected before."""
        self.rejected = set(keys)

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mode = "down"
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        response = await self._answer(request)
        self.attempts[response.status] = self.attempts.get(response.status, 0) + 1
        self._changed.set()
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._mode == "hang":
            self.hanging += 1
            self._changed.set()
            await self._mode_changed.wait()
            self.hanging -= 1
            return web.Response(status=503, text="hung up")
        if self._mode == "down":
            return web.Response(status=503, text="down")
        message = self._verified(body, dict(request.headers))
        if message is None:
            return web.Response(status=401, text="wrong signature")
        if self.rejected and not self.rejected.isdisjoint(keys_in(message)):
            return web.Response(status=422, text="rejected")
        try:
            self.mirror.receive(request.headers["webhook-id"], message)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.mirror.violate("form", f"unusable message: {error!r}: {body[:200]!r}")
            return web.Response(status=422, text=f"unusable: {error!r}")
        return web.Response(status=500 if self._mode == "apply-then-500" else 204)

    def _verified(self, body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        """The message, if its signature and its JSON are right."""
        lowered = {name.lower(): value for name, value in headers.items()}
        try:
            message: dict[str, Any] = Webhook(self.secret).verify(body, lowered)
        except (WebhookVerificationError, ValueError) as error:
            self.mirror.violate("signature", f"{lowered.get('webhook-id')}: {error!r}")
            return None
        return message
