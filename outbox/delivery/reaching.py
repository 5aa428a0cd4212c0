"""Looking where a URL leads, and whether anybody is there, before anything is sent."""

import asyncio
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from outbox.delivery.addresses import sift
from outbox.delivery.outbound import Outbound

_PORTS = {"https": 443, "http": 80}


class Place(NamedTuple):
    """Where a URL leads. host: without the brackets of an IPv6 address."""

    host: str
    port: int
    encrypted: bool


def place(url: str) -> Place:
    """Where a URL leads, by its words alone."""
    parts = urlsplit(url)
    return Place(parts.hostname or "", parts.port or _PORTS[parts.scheme], encrypted=parts.scheme == "https")


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


async def find(url: str, outbound: Outbound) -> list[str]:
    """The addresses that a URL leads to now and that may be sent to.

    Raises:
        RefusedAddressError: none of them may.
        OSError: the name has none.
    """
    there = place(url)
    infos = await outbound.names.look_up(there.host, there.port)
    return sift(list(dict.fromkeys(str(info[4][0]) for info in infos)), outbound.allowed, encrypted=there.encrypted)


async def reach(url: str, outbound: Outbound, ca: str | None) -> None:
    """Open a connection as a send would, with TLS where the URL has it, and close it unused.

    Raises:
        OSError: none of the addresses took one; what the last of them said.
    """
    there = place(url)
    context, name = (tls(ca), there.host) if there.encrypted else (None, None)
    failure: OSError | None = None
    for address in await find(url, outbound):
        try:
            _, writer = await asyncio.open_connection(address, there.port, ssl=context, server_hostname=name)
        except OSError as error:
            failure = error
        else:
            writer.transport.abort()
            return
    raise failure or OSError("the name has no address")
