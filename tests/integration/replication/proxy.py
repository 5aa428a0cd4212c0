"""A TCP proxy before a server, which can stop passing anything on while its connections stay open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.conninfo import make_conninfo

from tests.support.servers.databases import Database

_SMALL_BUFFER = 8192


class Proxy:
    """Passes bytes both ways while `open` is set."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._writers: list[asyncio.StreamWriter] = []
        self.open = asyncio.Event()
        self.open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to the server, until either end closes."""
        up_reader, up_writer = await asyncio.open_connection(*self._address, limit=_SMALL_BUFFER)
        self._writers += [writer, up_writer]
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pass(reader, up_writer))
            both.create_task(self._pass(up_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_SMALL_BUFFER):
                await self.open.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def proxied(database: Database) -> AsyncIterator[tuple[Proxy, str]]:
    """Put a proxy before the database's server: the proxy, and the connection string through it."""
    proxy = Proxy(database.server.address)
    listening = socket.create_server(("127.0.0.1", 0))
    # What a frozen proxy does not take must soon fill its sender's buffer.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    port = listening.getsockname()[1]
    async with await asyncio.start_server(proxy.serve, sock=listening, limit=_SMALL_BUFFER) as running:
        yield proxy, make_conninfo(database.server.dsn(database.name, tcp=True), port=port)
        proxy.open.set()
        running.close()
