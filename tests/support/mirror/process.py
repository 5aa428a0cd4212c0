"""The mirror as a process of its own, for load that should not share a thread with the test."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from aiohttp import web

from tests.support.mirror.receiver import Mode, Receiver
from tests.support.mirror.state import Held, HeldNight, Mirror, Violation
from tests.support.truth import Key


def dump(mirror: Mirror) -> dict[str, Any]:
    """What a mirror knows, as JSON can carry it."""
    return {
        "held": [[*key, held.version, held.body] for key, held in mirror.held.items()],
        "held_nights": [[*night, *asdict(held).values()] for night, held in mirror.held_nights.items()],
        "counts": dict(mirror.counts),
        "stale": mirror.stale,
        "violations": [asdict(violation) for violation in mirror.violations],
        "delays": mirror.delays,
        "heartbeat": mirror.heartbeat,
    }


def load(state: dict[str, Any]) -> Mirror:
    """The inverse of `dump`, but for the webhook ids that were seen."""
    return Mirror(
        held={(kind, hotel, number): Held(version, body) for kind, hotel, number, version, body in state["held"]},
        held_nights={(hotel, kind, day): HeldNight(*rest) for hotel, kind, day, *rest in state["held_nights"]},
        counts=Counter(state["counts"]),
        stale=state["stale"],
        violations=[Violation(**violation) for violation in state["violations"]],
        delays=state["delays"],
        heartbeat=state["heartbeat"],
    )


def controllable(receiver: Receiver) -> web.Application:
    """The receiver's application with the routes by which the parent process controls it."""

    async def state(_request: web.Request) -> web.Response:
        counted = {"attempts": receiver.attempts, "tricks": receiver.tricks, "hanging": receiver.hanging}
        return web.json_response(dump(receiver.mirror) | counted)

    async def control(request: web.Request) -> web.Response:
        wish = await request.json()
        receiver.mode = wish["mode"]
        receiver.reject((kind, hotel, number) for kind, hotel, number in wish["rejected"])
        return web.Response(status=204)

    application = receiver.application()
    application.router.add_get("/state", state)
    application.router.add_put("/control", control)
    return application


async def serve(secret: str) -> None:
    """Serve on a free port until standard input ends; the port is the only line printed."""
    receiver = Receiver(secret)
    runner = receiver.runner(controllable(receiver))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201  # the parent reads it
    # The pipe closes with the parent, however that ends.
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


class Requests(NamedTuple):
    """Requests by status, tricks by name, and requests that hang now."""

    attempts: dict[int, int]
    tricks: dict[str, int]
    hanging: int


class MirrorProcess:
    """A mirror in a process of its own; an asynchronous context manager."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._base = ""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"{self._base}/webhooks"

    async def mirror(self) -> Mirror:
        """A copy of what it knows now."""
        return load(await self._state())

    async def requests(self) -> Requests:
        """What came to it so far, and how it was answered."""
        state = await self._state()
        attempts = {int(status): count for status, count in state["attempts"].items()}
        return Requests(attempts, state["tricks"], state["hanging"])

    async def control(self, mode: Mode, rejected: Iterable[Key] = ()) -> None:
        """Set how it answers from now on; see `Receiver`."""
        wish = {"mode": mode, "rejected": list(rejected)}
        async with aiohttp.ClientSession() as session, session.put(f"{self._base}/control", json=wish) as response:
            response.raise_for_status()

    async def _state(self) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.get(f"{self._base}/state") as response:
            state: dict[str, Any] = await response.json()
            return state

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.mirror",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"secret": self._secret}).encode() + b"\n")
        await self._process.stdin.drain()
        port = (await self._process.stdout.readline()).decode().strip()
        self._base = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
