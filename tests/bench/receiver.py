"""A fast booking engine in a process of its own: takes every webhook, notes when, and believes it.

It speaks the least HTTP that Roomwire's client needs, so that it is not what limits a measurement.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import orjson
import uvloop

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Received(NamedTuple):
    """One message. Times are seconds of the system's clock.

    at: when it was received; committed: what it says of the PMS's commit; written: when its document got its
    version; noted: when the PMS wrote the comment that it carries, by `bench.comment`, or 0.
    """

    at: float
    type: str
    committed: float
    written: float
    noted: float
    nights: int
    bytes: int


def describe(at: float, body: bytes) -> Received:
    """What a benchmark wants to know of a message."""
    message = orjson.loads(body)
    data = message["data"]
    room_types: Sequence[dict[str, Any]] = data.get("room_types", ())
    versions = [int(one["version"]) for one in room_types] or [int(data.get("version", 0))]
    comment = str(data.get("comment") or "")
    return Received(
        at,
        message["type"],
        datetime.fromisoformat(message["timestamp"]).timestamp(),
        max(versions) / 1e6,
        float(comment.split()[1]) if comment.startswith("written ") else 0.0,
        sum(_nights(one) for room_type in room_types for one in room_type["ranges"]),
        len(body),
    )


def _nights(found: dict[str, str]) -> int:
    return (date.fromisoformat(found["until"]) - date.fromisoformat(found["from"])).days


class _Connection(asyncio.Protocol):
    """One connection of the sender, which sends the next request when it has the answer to the last."""

    def __init__(self, taken: list[tuple[float, bytes]], *, deaf: bool) -> None:
        self._taken = taken
        self._deaf = deaf
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own are not of asyncio's class

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) < length or self._deaf:
            return
        self._taken.append((time.time(), rest[:length]))
        self._data = rest[length:]
        self._transport.write(_ANSWER)


async def _serve(port: int, *, deaf: bool) -> None:
    taken: list[tuple[float, bytes]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(taken, deaf=deaf), "127.0.0.1", port)
    out = sys.stdout.buffer
    out.write(b"%d\n" % server.sockets[0].getsockname()[1])
    out.flush()
    while command := await asyncio.to_thread(sys.stdin.readline):
        if command == "count\n":
            out.write(b"%d\n" % len(taken))
        else:
            out.write(orjson.dumps([tuple(describe(at, body)) for at, body in taken]) + b"\n")
            taken.clear()
        out.flush()


class FastReceiver:
    """The parent's end of a receiver.

    Args:
        port: where it listens; 0 for any that is free.
        deaf: it never answers.
    """

    def __init__(self, port: int = 0, *, deaf: bool = False) -> None:
        self._words = [str(port), *(["--deaf"] if deaf else [])]
        self.url = ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2].rstrip("/"))

    async def count(self) -> int:
        """How many messages it has taken since `take`."""
        return int(await self._ask(b"count\n"))

    async def take(self) -> list[Received]:
        """What it has received, which it then forgets."""
        return [Received(*one) for one in orjson.loads(await self._ask(b"take\n"))]

    async def _ask(self, command: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command)
        return await self._process.stdout.readline()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.receiver", *self._words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 30,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(await self._process.stdout.readline())}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), deaf="--deaf" in sys.argv))
