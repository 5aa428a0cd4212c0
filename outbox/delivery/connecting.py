"""Opening connections to endpoints, to no address but those that may be sent to."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import AddrInfoType, TCPConnector, ThreadedResolver
from aiohttp.abc import ResolveResult
from yarl import URL

from outbox.delivery.addresses import Network, RefusedAddressError, refusal

_KEPT_SECONDS = 75.0
"""Longer than the minute between heartbeats, so that what happens now needs no new connection."""


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
        self._check(str(address[0]))
        return socket.socket(family, kind, protocol)

    def sift(self, found: Sequence[ResolveResult]) -> list[ResolveResult]:
        """Those addresses of a name that may be sent to.

        Raises:
            RefusedAddressError: there is none.
        """
        refused = [refusal(one["host"], self.allowed, encrypted=self.encrypted) for one in found]
        if found and all(refused):
            raise RefusedAddressError(refused[0])
        return [one for one, why in zip(found, refused, strict=True) if why is None]

    def _check(self, address: str) -> None:
        if why := refusal(address, self.allowed, encrypted=self.encrypted):
            raise RefusedAddressError(why)


class _Resolver(ThreadedResolver):
    """Finds the addresses of a name as the system does, which reads `0x7f.1` and `2130706433` as addresses, too."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return self._guard.sift(await super().resolve(host, port, family))


def connector(guard: Guard) -> TCPConnector:
    """A pool of connections. It has no limit of its own: each endpoint bounds how many sends are on their way.

    The resolver alone would let addresses pass that are written as such; the socket alone would say of a name with
    several addresses nothing but that all of them failed.
    """
    return TCPConnector(
        limit=0,
        keepalive_timeout=_KEPT_SECONDS,
        resolver=_Resolver(guard),
        socket_factory=guard.open_socket,
        family=socket.AF_UNSPEC,
    )


def tls(ca: str | None) -> ssl.SSLContext:
    """What certificates are verified against: this authority (PEM) and no other, or those of the system.

    Raises:
        ValueError: it is not a certificate.
    """
    try:
        if ca is not None and not ca.strip():
            raise ValueError
        context = ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise ValueError("a certificate authority is one or more certificates in PEM") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


async def find(url: str, allowed: Sequence[Network]) -> list[ResolveResult]:
    """The addresses that a URL leads to and that may be sent to.

    Raises:
        RefusedAddressError: none of them may.
        OSError: the name has none.
    """
    parts = URL(url)
    guard = Guard(allowed, encrypted=parts.scheme == "https")
    return await _Resolver(guard).resolve(parts.raw_host or "", parts.port or 0)


async def reach(url: str, allowed: Sequence[Network], ca: str | None) -> None:
    """Open a connection as a send would, with TLS where the URL has it, and close it unused.

    Raises:
        OSError: none of the addresses took one; what the last of them said.
    """
    context = tls(ca) if URL(url).scheme == "https" else None
    failure: OSError | None = None
    for found in await find(url, allowed):
        try:
            name = found["hostname"] if context else None
            _, writer = await asyncio.open_connection(
                found["host"], found["port"], ssl=context, server_hostname=name
            )
        except OSError as error:
            failure = error
        else:
            writer.transport.abort()
            return
    raise failure or OSError("the name has no address")
