"""A TCP proxy before a server, which can stop passing anything on while its connections stay open."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from psycopg.conninfo import make_conninfo

from tests.support.servers.databases import Database

_SMALL_BUFFER = 8192


class Proxy:
    """Passes bytes on, in threads of its own, so that it works while the test's event loop does not.

    Attributes:
        up: set while bytes pass from client to server.
        down: set while bytes pass from server to client.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._listening = socket.create_server(("127.0.0.1", 0))
        # What a closed direction does not take must soon fill its sender's buffer.
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        self._sockets = [self._listening]
        self.port = self._listening.getsockname()[1]
        self.up = threading.Event()
        self.down = threading.Event()
        self.up.set()
        self.down.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        self.up.set()
        self.down.set()
        for opened in self._sockets:
            # Closing alone does not wake a thread that waits for the socket.
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._address)
            self._sockets += [client, server]
            for source, target, open_ in ((client, server, self.up), (server, client, self.down)):
                threading.Thread(target=_pass, args=(source, target, open_), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, open_: threading.Event) -> None:
    try:
        while data := source.recv(_SMALL_BUFFER):
            open_.wait()
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def proxied(database: Database) -> Iterator[tuple[Proxy, str]]:
    """Put a proxy before the database's server: the proxy, and the connection string through it."""
    proxy = Proxy(database.server.address)
    try:
        yield proxy, make_conninfo(database.server.dsn(database.name, tcp=True), host="127.0.0.1", port=proxy.port)
    finally:
        proxy.close()
