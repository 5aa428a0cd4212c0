"""A proxy before a server that stops transactions at chosen statements, by the frontend's messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_COMMITTED = b"Z\0\0\0\5I"
"""The server is ready for the next query, in no transaction."""
COMMIT, ANSWER = 1_000_000, 1_000_001
"""The places of a transaction's commit, and of the answer to it, however many statements it has."""
_TERMINATED = (asyncio.IncompleteReadError, ConnectionError)


@dataclass
class Gates:
    """What passes, and what is stopped.

    Only transactions that begin and end by prepared statements count: those of the API's writes. They are told
    apart by their Idempotency-Key, which the second statement names.

    Attributes:
        address: of the server.
        port: where the proxy listens.
        stops: key → before which statement each of its transactions is stopped, `begin` being the first, at the
            latest before its commit; ANSWER: only the answers to their commits are withheld.
        road: the statements of the transaction that was last sent whole.
        stopped: the keys of which a transaction was stopped.
        cuts: whether the session of a stopped transaction ends at once, instead of waiting for whoever is killed.
    """

    address: tuple[str, int]
    port: int = 0
    stops: dict[str, int] = field(default_factory=dict)
    road: list[str] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    cuts: bool = False


@asynccontextmanager
async def gates(address: tuple[str, int]) -> AsyncIterator[Gates]:
    """A proxy before a server, until the block ends."""
    found = Gates(address)
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await _Connection(found).run(reader, writer)
        finally:
            writer.close()
            connections.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        # Whoever was let in just now begins, and so closes what is his.
        await asyncio.sleep(0)
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


class _Connection:
    """One session."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._texts: dict[bytes, str] = {}
        self._said: list[str] = []
        self._key = ""
        self._withheld = False

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on until either side has hung up."""
        from_server, to_server = await asyncio.open_connection(*self._gates.address)
        up = asyncio.create_task(self._up(reader, to_server))
        down = asyncio.create_task(self._down(from_server, writer))
        try:
            # Whoever is killed hangs up; its session must then end, whatever is stopped.
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            # Before anything is waited for: who is cancelled there would leave them open.
            for end in (writer, to_server):
                end.close()
            await asyncio.gather(up, down, return_exceptions=True)
            for end in (writer, to_server):
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _up(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(*_TERMINATED):
            length = await source.readexactly(4)
            target.write(length + await source.readexactly(int.from_bytes(length) - 4))
            while True:
                head = await source.readexactly(5)
                body = await source.readexactly(int.from_bytes(head[1:]) - 4)
                if self._is_stopped(head[:1], body):
                    await self._end(source)
                    return
                target.write(head + body)
                await target.drain()

    async def _down(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(*_TERMINATED):
            while data := await source.read(65536):
                if self._withheld:
                    if data.endswith(_COMMITTED):
                        await self._end(source)
                        return
                    continue
                target.write(data)
                await target.drain()

    async def _end(self, source: asyncio.StreamReader) -> None:
        self._gates.stopped.add(self._key)
        if not self._gates.cuts:
            await source.read()

    def _is_stopped(self, kind: bytes, body: bytes) -> bool:
        """Whether this message, and whatever follows it, is not passed on."""
        if kind == b"P":
            name, statement, _ = body.split(b"\0", 2)
            self._texts[name] = statement.decode()
        if kind != b"B":
            return False
        text = self._texts[body.split(b"\0", 2)[1]]
        if text == "begin":
            self._said, self._key = [], ""
        self._said.append(text)
        if len(self._said) == 2:
            self._key = next((key for key in self._gates.stops if key.encode() in body), "")
        stop = self._gates.stops.get(self._key, 0)
        if text == "commit" and not stop:
            self._gates.road = list(self._said)
        if stop == ANSWER:
            self._withheld = text == "commit"
            return False
        return stop > 0 and (stop == len(self._said) or text == "commit")
