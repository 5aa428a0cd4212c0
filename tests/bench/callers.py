"""Callers of the API in a process of its own: many connections, at a fixed rate or as fast as answers come.

`python -m tests.bench.callers` reads its task from standard input and prints what it saw, both as JSON. It speaks
the least HTTP that Roomwire's server needs, so that it is not what limits a measurement.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import uvloop

from tests.bench.figures import percentile

PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What callers saw. latencies: seconds since a call was due; statuses: how often each; seconds: in all."""

    latencies: list[float]
    statuses: Counter[int]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def latency(self, share: float) -> float:
        """A percentile of the latencies, in milliseconds."""
        return percentile(self.latencies, share) * 1000

    def errors(self, good: int) -> int:
        """How many answers had another status."""
        return self.statuses.total() - self.statuses[good]


async def call(
    url: str,
    key: str,
    paths: Sequence[str],
    *,
    bodies: Sequence[Any] = (),
    connections: int = 100,
    seconds: float = 0.0,
    rate: float | None = None,
) -> Heard:
    """GET paths below `url` in turn, or with `bodies` POST each of them once to the one path.

    rate: calls per second that are due whatever the server does (open loop), so that waiting for a free connection
    is part of a latency; None: each connection calls again as soon as it is answered.

    Raises:
        AssertionError: the process failed, or an answer did not come; with what it said.
    """
    task: dict[str, Any] = {"url": url, "key": key, "paths": list(paths), "bodies": list(bodies)}
    task |= {"connections": connections, "seconds": seconds, "rate": rate}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.callers"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(orjson.dumps(task))
    assert process.returncode == 0, err.decode()
    said = orjson.loads(out)
    return Heard(said["latencies"], Counter({int(k): n for k, n in said["statuses"].items()}), said["seconds"])


class _Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, crowd: _Crowd) -> None:
        self._crowd = crowd
        self._due = 0.0
        self._got = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that was due then."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._got[:end]).lower()
        _, _, length = head.partition(b"content-length:")
        if len(self._got) < end + 4 + int(length.split(b"\r", 1)[0] or 0):
            return
        self._got.clear()
        self._crowd.answered(self, self._due, int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._crowd.done:
            raise ConnectionError(f"the server closed a connection: {exc}")


class _Crowd:
    """All connections."""

    def __init__(self, requests: Sequence[bytes], *, once: bool, until: float, rate: float | None) -> None:
        self._requests, self._once, self._until, self._rate = requests, once, until, rate
        self._next = 0
        self._idle: deque[_Line] = deque()
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._open = 0
        self._all_answered = asyncio.Event()
        self.done = False
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def perform(self, lines: Sequence[_Line]) -> float:
        """Make all calls; returns the seconds that it took."""
        self._idle.extend(lines)
        began = time.perf_counter()
        if self._rate is None:
            for line in lines:
                self._call(line, time.perf_counter())
        else:
            await self._open_loop(began, self._rate)
        if self._open or self._waiting:
            async with asyncio.timeout(PATIENCE + max(self._until - time.perf_counter(), 0.0)):
                await self._all_answered.wait()
        self.done = True
        return time.perf_counter() - began

    async def _open_loop(self, began: float, rate: float) -> None:
        made = 0
        while (due := began + made / rate) < self._until and (request := self._take()) is not None:
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            made += 1
            self._waiting.append((request, due))
            if self._idle:
                self._send(self._idle.popleft(), *self._waiting.popleft())

    def answered(self, line: _Line, due: float, status: int) -> None:
        """Note an answer, and let the line call again."""
        now = time.perf_counter()
        self.latencies.append(now - due)
        self.statuses[status] += 1
        self._open -= 1
        if self._waiting:
            self._send(line, *self._waiting.popleft())
        elif self._rate is None and now < self._until:
            self._call(line, now)
        else:
            self._idle.append(line)
        if not self._open:
            self._all_answered.set()

    def _call(self, line: _Line, due: float) -> None:
        if (request := self._take()) is not None:
            self._send(line, request, due)

    def _send(self, line: _Line, request: bytes, due: float) -> None:
        self._open += 1
        self._all_answered.clear()
        line.ask(request, due)

    def _take(self) -> bytes | None:
        if self._once and self._next >= len(self._requests):
            return None
        self._next += 1
        return self._requests[(self._next - 1) % len(self._requests)]


def _requests(task: dict[str, Any]) -> list[bytes]:
    address = urlsplit(task["url"])
    common = f"Host: {address.netloc}\r\nAuthorization: Bearer {task['key']}\r\n"
    if not task["bodies"]:
        return [f"GET {address.path}{path} HTTP/1.1\r\n{common}\r\n".encode() for path in task["paths"]]
    (path,) = task["paths"]
    head = f"POST {address.path}{path} HTTP/1.1\r\n{common}Content-Type: application/json\r\n"
    requests = []
    for body in map(orjson.dumps, task["bodies"]):
        more = f"Idempotency-Key: {uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
        requests.append((head + more).encode() + body)
    return requests


async def _main(task: dict[str, Any]) -> None:
    address = urlsplit(task["url"])
    requests = _requests(task)
    until = time.perf_counter() + (task["seconds"] or float("inf"))
    crowd = _Crowd(requests, once=bool(task["bodies"]), until=until, rate=task["rate"])
    loop = asyncio.get_running_loop()
    lines = []
    for _ in range(task["connections"]):
        _, line = await loop.create_connection(lambda: _Line(crowd), address.hostname, address.port)
        lines.append(line)
    gc.disable()
    took = await crowd.perform(lines)
    said = {
        "latencies": crowd.latencies,
        "statuses": {str(k): n for k, n in crowd.statuses.items()},
        "seconds": took,
    }
    sys.stdout.buffer.write(orjson.dumps(said))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(orjson.loads(sys.stdin.buffer.read())))
