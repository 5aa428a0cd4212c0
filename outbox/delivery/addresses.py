"""Which addresses messages may go to: the public ones, and those that the operator allows by name.

Whoever may set an endpoint could otherwise have the daemon call what only its own machine reaches: databases,
consoles, the metadata service of a cloud (server-side request forgery). What is judged is the address that a
connection is opened to, never the text that it came from, so every way of writing one and every name comes down to
the same question.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

SETTING = "ROOMWIRE_ALLOWED_NETWORKS"
Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address

_CLOSED = tuple(
    ip_network(text)
    for text in (
        # The IANA registry of special IPv4 addresses (RFC 6890), multicast, and what is reserved, broadcast too.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Azure's own services answer its machines at this one, public as it looks.
        "168.63.129.16/32",
        # Within 2000::/3: protocol assignments with Teredo, documentation, 6to4, AS 112.
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedAddressError(OSError):
    """A connection that must not be opened; the message says how to allow it."""


def refusal(address: str, allowed: Sequence[Network], *, encrypted: bool) -> str | None:
    """Why nothing is sent to an IP address, in a sentence without its full stop; None where it may be.

    Args:
        address: as the operating system is given it; an IPv6 one may end with its zone.
        allowed: networks of the operator's own, whatever they are otherwise.
        encrypted: by TLS. Without it only `allowed` is open.
    """
    forms = _forms(address)
    if any(form in network for form in forms for network in allowed):
        return None
    if not _is_public(forms[-1]):
        return f"{address} is not a public address; if messages shall go there, list it in {SETTING}"
    if not encrypted:
        return f"{address} would be sent to in clear; use https://, or list it in {SETTING}"
    return None


def sift(addresses: Sequence[str], allowed: Sequence[Network], *, encrypted: bool) -> list[str]:
    """Those of a name's addresses that may be sent to.

    Raises:
        RefusedAddressError: there are some, and none of them may.
    """
    refused = {address: refusal(address, allowed, encrypted=encrypted) for address in addresses}
    if refused and all(refused.values()):
        raise RefusedAddressError(refused[addresses[0]])
    return [address for address in addresses if refused[address] is None]


def _is_public(address: _Address) -> bool:
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _CLOSED)


@lru_cache(maxsize=4096)
def _forms(text: str) -> tuple[_Address, ...]:
    """An address, and the IPv4 address that it leads to where it only wraps one, at the end."""
    address = ip_address(text)
    if address.version == 4:
        return (address,)
    if address.ipv4_mapped:
        return address, address.ipv4_mapped
    if address in _NAT64:
        return address, IPv4Address(int(address) & 0xFFFF_FFFF)
    return (address,)
