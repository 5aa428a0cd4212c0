"""Where requests go, over real sockets: to no address that is not allowed, however it is written or named."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from outbox import endpoints
from outbox.delivery import reaching
from outbox.delivery.addresses import Network, RefusedAddressError
from outbox.delivery.connecting import Guard
from outbox.delivery.line import Line, open_session
from outbox.delivery.outbound import Outbound
from outbox.delivery.outcome import Outcome
from outbox.settings import EndpointError
from tests.support.sockets import serving

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))
PUBLIC = "93.184.216.34"
TRICKS = {
    "literals": ["127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"],
    "in other numbers": [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0177.1",
        "017700000001",
        "127.1",
        "0",
    ],
    "in other characters": ["１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1"],
    "metadata": ["169.254.169.254", "0xa9fea9fe", "2852039166", "168.63.129.16", "[fd00:ec2::254]"],
    "IPv6": ["[::1]", "[::]", "[fe80::1]", "[fe80::1%25lo]", "[fd00::1]", "[ff02::1]", "[2001:db8::1]"],
    "mapped": ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[::ffff:10.0.0.1]"],
    "compatible": ["[::127.0.0.1]", "[::7f00:1]"],
    "translated": ["[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]"],
    "tunnels": ["[2002:7f00:1::]", "[2001:0:7f00:1::]"],
    "many at once": ["224.0.0.1", "239.255.255.250", "255.255.255.255"],
    "names": ["localhost", "LOCALHOST", "inside.test", "mapped.test", "many.test"],
}
NAMES = {
    "inside.test": ["10.0.0.8"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "many.test": ["127.0.0.1", "10.0.0.8", "169.254.169.254"],
    "half.test": ["10.0.0.8", "127.0.0.1"],
    "public.test": [PUBLIC],
}


class Names:
    """A resolver of names under `.test`; what `rebinding.test` is depends on how often one asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rebinding: Iterator[str] = iter([])
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host == "rebinding.test":
            return self._known([next(self.rebinding)], port)
        if host in NAMES:
            return self._known(NAMES[host], port)
        return list(self._real(host, port, *args, **kwargs))

    def _known(self, addresses: Sequence[str], port: Any) -> list[Any]:
        return [info for one in addresses for info in self._real(one, port, type=socket.SOCK_STREAM)]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


class Listener:
    """Answers 204; counts who came."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and wait until whoever came goes."""
        self.connections += 1
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        await reader.read()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    async with serving(listener.serve) as listener.port:
        yield listener


async def post(url: str, allowed: Sequence[Network] = (), *, encrypted: bool | None = None) -> Outcome:
    guard = Guard(allowed, encrypted=url.startswith("https:") if encrypted is None else encrypted)
    async with open_session(guard, connect=4) as session:
        return await Line(session, url, total=4).post(b"{}", {})


def needs_ipv6() -> None:
    """Skip where the kernel has none."""
    try:
        socket.socket(socket.AF_INET6).close()
    except OSError:
        pytest.skip("this kernel has no IPv6")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_nothing_is_sent_to_what_is_not_public(listener: Listener, scheme: str) -> None:
    for host in itertools.chain(*TRICKS.values()):
        outcome = await post(f"{scheme}://{host}:{listener.port}/hook?s3cret")
        assert (outcome.verdict, outcome.forbidden) == ("outage", True), host
        assert outcome.error is not None
        assert "ROOMWIRE_ALLOWED_NETWORKS" in outcome.error or "is not a canonical IPv4 address" in outcome.error
        assert "s3cret" not in outcome.error
        assert listener.connections == 0, host


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "mapped.test", "half.test", "many.test"]
)
async def test_what_is_allowed_is_sent_to(listener: Listener, host: str) -> None:
    """Of a name's addresses those that are; what is allowed is not refused because of its neighbours."""
    if "mapped" in host or ":" in host:
        needs_ipv6()
    outcome = await post(f"http://{host}:{listener.port}/hook", LOOPBACK)
    assert (outcome.verdict, outcome.forbidden) == ("delivered", False)
    assert listener.connections == 1


async def test_a_public_address_is_connected_to(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only connecting is taken elsewhere, after the guard has let the address through."""
    asked: list[Any] = []

    async def redirected(loop: Any, sock: socket.socket, address: Any) -> None:
        asked.append(address)
        sock.setblocking(True)
        sock.connect(("127.0.0.1", listener.port))
        sock.setblocking(False)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", redirected)
    outcome = await post("http://public.test/hook", encrypted=True)
    assert (outcome.verdict, asked) == ("delivered", [(PUBLIC, 80)])


async def test_nothing_is_sent_in_clear_to_the_public(listener: Listener) -> None:
    outcome = await post("http://public.test/hook")
    assert outcome.forbidden
    assert outcome.error == (
        f"{PUBLIC} would be sent to in clear; use https://, or list it in ROOMWIRE_ALLOWED_NETWORKS"
    )


async def test_a_name_that_becomes_another_after_it_was_looked_at(listener: Listener, names: Names) -> None:
    url = f"https://rebinding.test:{listener.port}/hook"
    names.rebinding = iter([PUBLIC, "127.0.0.1"])
    await endpoints.check_address(url, Outbound())
    outcome = await post(url)
    assert outcome.forbidden
    assert listener.connections == 0


@pytest.mark.parametrize("url", ["http://10.0.0.8/hook", "https://inside.test/hook", "http://public.test/hook"])
async def test_adding_checking_and_sending_say_the_same_sentence(url: str) -> None:
    sent = (await post(url)).error
    with pytest.raises(EndpointError) as added:
        await endpoints.check_address(url, Outbound())
    with pytest.raises(RefusedAddressError) as checked:
        await reaching.reach(url, Outbound(), None)
    assert [str(added.value), str(checked.value)] == [sent, sent]


async def test_a_name_that_is_not_known_yet_may_be_added() -> None:
    await endpoints.check_address("https://nowhere.invalid/hook", Outbound())


async def test_proxies_of_the_environment_hear_nothing(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    assert (await post("http://10.0.0.8/hook")).forbidden
    assert (await post("https://inside.test/hook")).forbidden
    assert listener.connections == 0
