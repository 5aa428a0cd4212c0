"""Which addresses may be sent to; test_guard.py of the integration tests holds that nothing is sent to others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.delivery.addresses import SETTING, refusal

CLOSED = {
    "this network": ["0.0.0.0", "0.1.2.3", "0.255.255.255"],
    "private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
    "carriers": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "metadata": ["169.254.169.254", "169.254.170.2", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1"],
    "documentation": ["192.0.2.1", "198.51.100.7", "203.0.113.254", "2001:db8::1", "3fff::1"],
    "relays": ["192.88.99.1", "192.52.193.1", "192.31.196.1", "192.175.48.6", "2620:4f:8000::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255"],
    "unspecified": ["::"],
    "local": ["fc00::1", "fd12:3456::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1", "::ffff:0:0"],
    "compatible": ["::127.0.0.1", "::169.254.169.254", "::8.8.8.8"],
    "translated": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::808:808"],
    "translated, of old": ["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"],
    "6to4": ["2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"],
    "tunnels": ["2001:10::1", "2001:20::1", "2001:1ff::1"],
    "discard": ["100::1"],
    "outside unicast": ["4000::1", "5f00::1", "8000::1", "1::1"],
}
OPEN = [
    *("8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *(
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
    ),
    *("192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
    *("2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2400:cb00::1", "2003::1", "3ffe:ffff::1"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808"),
]
LOCAL = (ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"), ip_network("fd00:1::/32"))


@pytest.mark.parametrize("address", [address for group in CLOSED.values() for address in group])
def test_what_is_not_public_is_refused_with_the_setting_that_would_allow_it(address: str) -> None:
    said = refusal(address, (), encrypted=True)
    assert said is not None
    assert address in said
    assert SETTING in said


@pytest.mark.parametrize("address", OPEN)
def test_what_is_public_is_not_refused_but_in_clear(address: str) -> None:
    assert refusal(address, (), encrypted=True) is None
    said = refusal(address, (), encrypted=False)
    assert said is not None
    assert "https://" in said


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.0.1", "10.1.255.1", "fd00:1::9", "::ffff:127.0.0.1", "::ffff:10.1.2.3"]
)
def test_what_is_listed_is_allowed(address: str, encrypted: bool) -> None:
    assert refusal(address, LOCAL, encrypted=encrypted) is None


@pytest.mark.parametrize("address", ["10.2.0.1", "::1", "fd00:2::1", "169.254.169.254", "::ffff:10.2.0.1"])
def test_what_is_listed_allows_nothing_beside_it(address: str) -> None:
    assert refusal(address, LOCAL, encrypted=True) is not None


@given(st.ip_addresses(v=4))
def test_no_address_is_open_that_python_knows_as_special(address: IPv4Address) -> None:
    if not address.is_global:
        assert refusal(str(address), (), encrypted=True) is not None


@given(st.ip_addresses(v=4))
def test_an_address_in_another_s_clothes_is_as_open_as_itself(address: IPv4Address) -> None:
    plain = refusal(str(address), (), encrypted=True) is None
    for dressed in (IPv6Address(f"::ffff:{address}"), IPv6Address(f"64:ff9b::{address}")):
        assert (refusal(str(dressed), (), encrypted=True) is None) is plain


@given(st.ip_addresses(v=6))
def test_no_address_is_open_outside_of_unicast(address: IPv6Address) -> None:
    carried = address.ipv4_mapped or address in ip_network("64:ff9b::/96")
    if refusal(str(address), (), encrypted=True) is None and not carried:
        assert address in ip_network("2000::/3")
        assert address.is_global
