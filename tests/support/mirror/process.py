"""The mirror as a process of its own, for load that should not share a thread with the test."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from aiohttp import web

from tests.support.mirror.receiver import Mode, Receiver
from tests.support.mirror.state import Held, HeldNight, Mirror, Violation
from tests.support.processes import Forked, pipe
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


def serve(secret: str, parent: Connection) -> None:
    """Serve on a free port, which is told the parent, until the parent closes its end of the pipe, or ends."""
    asyncio.run(_serve(secret, parent))


async def _serve(secret: str, parent: Connection) -> None:
    receiver = Receiver(secret)
    runner = receiver.runner(controllable(receiver))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    parent.send(runner.addresses[0][1])
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), closed.set)
    await closed.wait()
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
        self._parent: Connection | None = None
        self._process: Forked | None = None

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
        self._parent, child = pipe()
        self._process = Forked(serve, self._secret, child)
        child.close()
        port = await asyncio.to_thread(self._parent.recv)
        self._base = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._parent is not None
        assert self._process is not None
        self._parent.close()
        await self._process.wait()
