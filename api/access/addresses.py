"""Where a request comes from, also behind proxies that are trusted to say so."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and CIDR ranges, separated by commas.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def caller(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The address of who calls.

    Args:
        peer: who is connected.
        forwarded: the values of X-Forwarded-For, in order; each may list several.
        trusted: proxies. From the last hop on, the first address that is none of them is the caller's.
    """
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    at = peer
    while at is not None and hops and is_in(at, trusted):
        at = hops.pop()
    return at if at is not None and _is_address(at) else None


def is_in(text: str | None, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of these networks, also IPv4 written as IPv6 (::ffff:…)."""
    if text is None or not _is_address(text):
        return False
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    """An address that PostgreSQL's inet takes, too: without the zone of a link."""
    if "%" in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
