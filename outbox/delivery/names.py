"""Finding the addresses of names, however long a name's own servers take.

The system's look-up occupies a thread until it gives up, which may take half a minute, and cannot be cancelled. So
a name occupies one at a time, however often it is asked for, and never one of those that others wait for.
"""

import asyncio
import socket
import threading
from collections.abc import Sequence
from typing import Any

_MOST = 100
"""Names that may be looked up at a time: more than that have never been dead at once."""

Key = tuple[asyncio.AbstractEventLoop, str, int, socket.AddressFamily, int]


class Names:
    """Looks names up as the system does."""

    def __init__(self) -> None:
        self._pending: dict[Key, asyncio.Future[Sequence[Any]]] = {}

    async def look_up(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC, flags: int = 0
    ) -> Sequence[Any]:
        """What `socket.getaddrinfo` says of a host's TCP addresses. Whoever waits no longer may be cancelled.

        Raises:
            OSError: there is no such name, it could not be found out, or too many others are being looked up.
        """
        loop = asyncio.get_running_loop()
        key = (loop, host, port, family, flags)
        found = self._pending.get(key)
        if found is None:
            if len(self._pending) >= _MOST:
                raise OSError(f"{_MOST} names are being looked up already; are the name servers well?")
            found = self._pending[key] = loop.create_future()
            found.add_done_callback(lambda _: self._pending.pop(key))
            # Nobody waits for it when the process ends.
            threading.Thread(target=self._find, args=(key, found), name=f"name {host}", daemon=True).start()
        return await asyncio.shield(found)

    def _find(self, key: Key, found: asyncio.Future[Sequence[Any]]) -> None:
        """A thread of its own."""
        loop, host, port, family, flags = key
        said = _ask(host, port, family, flags)
        try:
            loop.call_soon_threadsafe(_tell, found, said)
        except RuntimeError:
            # The loop has ended meanwhile.
            self._pending.pop(key)


def _ask(host: str, port: int, family: socket.AddressFamily, flags: int) -> Sequence[Any] | OSError:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=flags)
    except OSError as error:
        return error
    except UnicodeError as error:
        return OSError(str(error))


def _tell(found: asyncio.Future[Sequence[Any]], said: Sequence[Any] | OSError) -> None:
    if not isinstance(said, OSError):
        found.set_result(said)
        return
    found.set_exception(said)
    # Perhaps nobody waits any more.
    found.exception()
