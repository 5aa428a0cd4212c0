"""The mirror's HTTP side: verify, apply, answer; and misbehave on request."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.mirror.mischief import ELSEWHERE, Trick, played, tricks
from tests.support.mirror.state import Mirror, keys_in
from tests.support.truth import Key

Mode = Literal["ok", "slow", "down", "hang", "apply-then-500", "unruly"]
_SLOW_SECONDS = 0.05
LARGEST_BODY = 4 * 1024 * 1024


class Receiver:
    """A webhook endpoint on a free port of this machine; an asynchronous context manager.

    Attributes:
        mirror: What it has been told.
        mode: ok; slow answers a moment after it has applied; down answers 503 unread; hang answers when the mode
            changes, and applies nothing; apply-then-500 applies what it denies having taken; unruly plays a trick
            on a random third of the requests.
        rejected: Keys whose messages are answered with 422 and not applied.
        attempts: Requests by the status they were answered with.
        tricks: Tricks that were played, with how often.
        hanging: Requests that wait for the mode to change.
    """

    def __init__(self, secret: str, *, mirror: Mirror | None = None, port: int = 0, seed: int = 0) -> None:
        self.mirror = mirror or Mirror()
        self.secret = secret
        self.rejected: set[Key] = set()
        self.attempts: dict[int, int] = {}
        self.tricks: Counter[Trick] = Counter()
        self.hanging = 0
        self._next_trick = tricks(seed)
        self._sending: set[Key] = set()
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
        application.router.add_post(ELSEWHERE, self._followed)
        return application

    def runner(self, application: web.Application) -> web.AppRunner:
        """What serves it: a request whose sender has gone is over at once."""
        return web.AppRunner(application, access_log=None, shutdown_timeout=1, handler_cancellation=True)

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
        self._runner = self.runner(self.application())
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
        trick = next(self._next_trick) if self._mode == "unruly" else None
        if trick:
            self.tricks[trick] += 1
        if "hang" in {trick, self._mode}:
            return await self._hang()
        if self._mode == "down":
            return web.Response(status=503, text="down")
        message = self._verified(body, dict(request.headers))
        if message is None:
            return web.Response(status=401, text="wrong signature")
        try:
            with self._alone(keys_in(message)):
                return await self._take(request, message, trick)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.mirror.violate("form", f"unusable message: {error!r}: {body[:200]!r}")
            return web.Response(status=422, text=f"unusable: {error!r}")

    async def _take(self, request: web.Request, message: dict[str, Any], trick: Trick | None) -> web.Response:
        if self.rejected and not self.rejected.isdisjoint(keys_in(message)):
            return web.Response(status=422, text="rejected")

        def apply() -> None:
            self.mirror.receive(request.headers["webhook-id"], message)

        if trick:
            return played(trick, request, apply)
        apply()
        if self._mode == "slow":
            await asyncio.sleep(_SLOW_SECONDS)
        return web.Response(status=500 if self._mode == "apply-then-500" else 204)

    async def _hang(self) -> web.Response:
        self.hanging += 1
        self._changed.set()
        try:
            await self._mode_changed.wait()
        finally:
            self.hanging -= 1
            self._changed.set()
        return web.Response(status=503, text="hung up")

    @contextlib.contextmanager
    def _alone(self, keys: Iterable[Key]) -> Iterator[None]:
        """No other message that speaks of these keys may be under way meanwhile."""
        if twice := self._sending.intersection(keys):
            self.mirror.violate("concurrent", f"two messages at the same time speak of {sorted(twice)}")
        self._sending.update(keys)
        try:
            yield
        finally:
            self._sending.difference_update(keys)

    async def _followed(self, _request: web.Request) -> web.Response:
        self.mirror.violate("redirect", "a redirect was followed")
        return web.Response(status=204)

    def _verified(self, body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        """The message, if its signature and its JSON are right."""
        lowered = {name.lower(): value for name, value in headers.items()}
        try:
            message: dict[str, Any] = Webhook(self.secret).verify(body, lowered)
        except (WebhookVerificationError, ValueError) as error:
            self.mirror.violate("signature", f"{lowered.get('webhook-id')}: {error!r}")
            return None
        return message
