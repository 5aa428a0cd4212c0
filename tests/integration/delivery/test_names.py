"""Names whose servers do not answer."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from outbox import endpoints
from outbox.delivery import names, reaching, senders, trial
from outbox.delivery.names import Names
from outbox.delivery.outbound import Outbound
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id


class Servers:
    """What the system's look-up meets: names under `.dead` hang until the end, others are this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.end = threading.Event()
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(host)
        if str(host).endswith(".dead"):
            self.end.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self._real("127.0.0.1" if str(host).endswith(".alive") else host, port, *args, **kwargs)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    servers = Servers(monkeypatch)
    yield servers
    servers.end.set()


async def test_names_that_nobody_answers_for_keep_no_other_endpoint_waiting(bench: Bench, servers: Servers) -> None:
    """More of them than the threads that a loop has for everybody: those would all be taken."""
    with ThreadPoolExecutor(max_workers=2) as few:
        asyncio.get_running_loop().set_default_executor(few)
        dead = {f"engine{number}.dead" for number in range(4)}
        for name in dead:
            await bench.endpoint(name, hotels=[7])
        await bench.documents.conn.execute("update booking_engine.endpoint set url = 'http://' || name || '/hook'")
        await bench.endpoint("alive", url=f"http://engine.alive:{bench.receiver.port}/hook")
        async with bench.delivering():
            await bench.documents.booking(7, booking_id(1))

            async def timed_out() -> bool:
                failed = "attempt where outcome = 'outage'"
                return await bench.count(failed) >= 8 and dead <= set(servers.asked)

            await eventually(timed_out)
            assert bench.receiver.begun == 1
        assert sorted(name for name in servers.asked if name in dead) == sorted(dead), "one look-up each"


async def test_a_look_up_is_shared_and_outlives_who_waits_for_it(servers: Servers) -> None:
    looking = Names()
    first, second = (asyncio.create_task(looking.look_up("engine.dead", 80)) for _ in range(2))
    await eventually(lambda: asked(servers, 1))
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    servers.end.set()
    with pytest.raises(socket.gaierror):
        await second
    assert servers.asked == ["engine.dead"]
    with pytest.raises(socket.gaierror):
        await looking.look_up("engine.dead", 80)
    assert len(servers.asked) == 2, "what was found is not kept"
    ((*_, address),) = await looking.look_up("engine.alive", 80)
    assert address == ("127.0.0.1", 80)


async def asked(servers: Servers, count: int) -> bool:
    return len(servers.asked) == count


async def test_requests_share_a_look_up_too(
    bench: Bench, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may change endpoints could otherwise occupy as many threads as he likes with one dead name."""
    monkeypatch.setattr(endpoints, "_LOOK_UP", 0.1)
    monkeypatch.setattr(trial, "open_senders", partial(senders.open_senders, connect=0.1))
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set url = 'http://engine.dead/hook'")
    target = await trial.find(bench.documents.conn, "engine")
    assert target is not None
    outbound = Outbound(bench.outbound.keys)
    for _ in range(3):
        await endpoints.check_address("https://new.dead/hook", outbound)
        assert (await trial.send(target, outbound)).outcome.verdict == "outage"
    assert sorted(name for name in servers.asked if name.endswith(".dead")) == ["engine.dead", "new.dead"]


async def test_there_is_an_end_to_how_many_are_looked_up(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_MOST", 2)
    looking = Names()
    pending = [asyncio.create_task(looking.look_up(f"engine{number}.dead", 80)) for number in range(2)]
    await eventually(lambda: asked(servers, 2))
    with pytest.raises(OSError, match="2 names are being looked up"):
        await looking.look_up("engine.alive", 80)
    servers.end.set()
    await asyncio.wait(pending)
    assert all(isinstance(one.exception(), OSError) for one in pending)
    assert await looking.look_up("engine.alive", 80)


async def test_a_name_that_is_none_is_said_to_be(servers: Servers) -> None:
    with pytest.raises(OSError, match="label"):
        await Names().look_up(f"{'x' * 64}.alive.example", 80)
    with pytest.raises(OSError):  # noqa: PT011  # its words are the system's
        await reaching.find("https://nowhere.invalid/", Outbound())
