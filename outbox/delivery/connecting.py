"""Opening connections to endpoints, to no address but those that may be sent to."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import AddrInfoType, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from outbox.delivery.addresses import Network, sift
from outbox.delivery.names import Names

_KEPT_SECONDS = 75.0
"""Longer than the minute between heartbeats, so that what happens now needs no new connection."""
_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges every address that is about to be connected to. encrypted: by TLS."""

    allowed: Sequence[Network]
    encrypted: bool

    def open_socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for one address: of a name, or one that was written as such, which no resolver sees.

        Raises:
            RefusedAddressError: nothing may be sent there.
        """
        family, kind, protocol, _, address = info
        sift([str(address[0])], self.allowed, encrypted=self.encrypted)
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Finds the addresses of a name as the system does, which reads `0x7f.1` and `2130706433` as addresses, too."""

    def __init__(self, guard: Guard, names: Names) -> None:
        self._guard = guard
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        infos = await self._names.look_up(host, port, family, socket.AI_ADDRCONFIG)
        found = [_result(host, info) for info in infos]
        kept = sift([one["host"] for one in found], self._guard.allowed, encrypted=self._guard.encrypted)
        return [one for one in found if one["host"] in kept]

    async def close(self) -> None:
        """Nothing is to be closed: look-ups end by themselves."""


def _result(host: str, info: AddrInfoType) -> ResolveResult:
    family, _, protocol, _, address = info
    # With the zone that a link-local one has.
    numeric, port = socket.getnameinfo(address, _NUMERIC)
    return ResolveResult(
        hostname=host,
        host=numeric,
        port=int(port),
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def connector(guard: Guard, names: Names) -> TCPConnector:
    """A pool of connections. It has no limit of its own: each endpoint bounds how many sends are on their way.

    The resolver alone would let addresses pass that are written as such; the socket alone would say of a name with
    several addresses nothing but that all of them failed.
    """
    return TCPConnector(
        limit=0,
        keepalive_timeout=_KEPT_SECONDS,
        resolver=_Resolver(guard, names),
        socket_factory=guard.open_socket,
        family=socket.AF_UNSPEC,
    )
