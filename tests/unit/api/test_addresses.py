"""Who calls: the peer, unless a proxy that is trusted says otherwise."""

import pytest

from api.access.addresses import caller, parse_networks

TRUSTED = parse_networks("10.0.0.0/8, 2001:db8::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.1"], "198.51.100.7"),  # nobody trusts him
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.1"], "203.0.113.1"),  # what the caller wrote himself stands further left
        ("10.0.0.1", ["6.6.6.6", "203.0.113.1, 10.0.0.2"], "203.0.113.1"),
        ("2001:db8::1", ["2001:db8::99"], "2001:db8::99"),
        ("::ffff:10.0.0.1", ["203.0.113.1"], "203.0.113.1"),  # the same proxy, at a socket for IPv6
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], None),
        ("10.0.0.1", ["'; drop table"], None),
        ("fe80::1%eth0", [], None),  # what an inet does not hold
        (None, ["203.0.113.1"], None),
    ],
)
def test_the_caller_is_the_first_who_is_no_trusted_proxy(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    assert caller(peer, forwarded, TRUSTED) == expected


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "proxy.example"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_networks(text)
