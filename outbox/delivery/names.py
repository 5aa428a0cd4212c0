"""Finding the addresses of names, however long a name's own servers take.

The system's look-up occupies a thread until it gives up, which may take half a minute, and cannot be cancelled. So
a name occupies one at a time, however often it is asked for, and never one of those that others wait for.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import Any

_MOST = 100
"""Names that may be looked up at a time: more than that have never been dead at once."""


class Names:
    """Looks names up as the system does, for one event loop."""

    def __init__(self) -> None:
        self._pending: dict[tuple[object, ...], asyncio.Future[Sequence[Any]]] = {}

    async def look_up(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC, flags: int = 0
    ) -> Sequence[Any]:
        """What `socket.getaddrinfo` says of a host's TCP addresses. Whoever waits no longer may be cancelled.

        Raises:
            OSError: there is no such name, it could not be found out, or too many others are being looked up.
        """
        key = (host, port, family, flags)
        found = self._pending.get(key)
        if found is None:
            if len(self._pending) >= _MOST:
                raise OSError(f"{_MOST} names are being looked up already; are the name servers well?")
            found = self._pending[key] = asyncio.get_running_loop().create_future()
            found.add_done_callback(lambda _: self._pending.pop(key))
            # Nobody waits for it when the process ends.
            threading.Thread(target=_look_up, args=(found, *key), name=f"name {host}", daemon=True).start()
        return await asyncio.shield(found)


def _look_up(
    found: asyncio.Future[Sequence[Any]], host: str, port: int, family: socket.AddressFamily, flags: int
) -> None:
    said: Sequence[Any] | OSError
    try:
        said = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=flags)
    except OSError as error:
        said = error
    except UnicodeError as error:
        said = OSError(str(error))
    # The loop may have ended meanwhile.
    with contextlib.suppress(RuntimeError):
        found.get_loop().call_soon_threadsafe(_tell, found, said)


def _tell(found: asyncio.Future[Sequence[Any]], said: Sequence[Any] | OSError) -> None:
    if not isinstance(said, OSError):
        found.set_result(said)
        return
    found.set_exception(said)
    # Perhaps nobody waits any more.
    found.exception()
