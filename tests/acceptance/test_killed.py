"""The API killed amid each of its writes: done and answered the same when asked again, or not done."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api.access import issue
from tests.support.daemon import Daemon, Roomwire, today, until
from tests.support.gates import Gates, gates
from tests.support.writes import HOTEL, WRITES, Answer, Request, Site, at_rest, check, room_types, sound

Conn = psycopg.AsyncConnection[Any]


class Engine:
    """A client that calls whichever process listens.

    Attributes:
        url: of the API.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self.url = ""

    async def ask(self, wanted: Request) -> Answer:
        """The answer.

        Raises:
            aiohttp.ClientError: there was none.
        """
        method, path, body, more = wanted
        headers = {"Authorization": f"Bearer {self._key}"} | dict(more)
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, self.url + path, json=body) as answer,
        ):
            said = await answer.json() if answer.status != 204 else None
            return Answer(answer.status, said, "Idempotent-Replayed" in answer.headers)


# Whose transactions are undone is tested of one server as well as of two.
@pytest.mark.parametrize("server", ["pg18"], indirect=True)
async def test_it_is_killed_amid_every_write(roomwire: Roomwire) -> None:
    async with roomwire.running():
        await roomwire.settled()
    async with (
        await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn,
        gates(roomwire.database.server.address) as gate,
    ):
        behind_gates(roomwire, gate)
        engines = [await client(conn, name) for name in WRITES]
        kinds = await room_types(conn, len(WRITES))
        sites = [Site(engine.ask, kind, 1) for engine, kind in zip(engines, kinds, strict=True)]
        wanted: list[Request] = []
        roads: list[int] = []
        # Its first statement, one amid the others, its commit, and, of half of them, the answer to that.
        for places in (_first, _middle, partial(_end, answered=0), partial(_end, answered=1)):
            async with roomwire.running("--only", "api") as daemon:
                await listen(daemon, engines)
                if not wanted:
                    roads = [await road(gate, name, site) for name, site in _named(sites)]
                    wanted = [await WRITES[name].prepare(site) for name, site in _named(sites)]
                before = [await site.written(conn) for site in sites]
                stops = [places(n, length) for n, length in enumerate(roads)]
                await stop_and_kill(daemon, gate, sites, wanted, stops)
            await at_rest(conn, roomwire.writer)
            done = [stop > length for stop, length in zip(stops, roads, strict=True)]
            assert [await site.written(conn) != was for site, was in zip(sites, before, strict=True)] == done
        async with roomwire.running("--only", "api") as daemon:
            await listen(daemon, engines)
            for site, write, request, was_done in zip(sites, WRITES.values(), wanted, done, strict=True):
                await check(site, write, request, conn, done=was_done)
        assert set(done) == {True, False}
        await sound(conn)


def behind_gates(roomwire: Roomwire, gate: Gates) -> None:
    """Let the API's sessions go through the gates."""
    plain = roomwire.environment()["ROOMWIRE_WRITER_DSN"]
    through: dict[str, str | int] = {
        "host": "127.0.0.1",
        "port": gate.port,
        "sslmode": "disable",
        "gssencmode": "disable",
    }
    roomwire.settings["ROOMWIRE_WRITER_DSN"] = make_conninfo(plain, **through)


async def client(conn: Conn, name: str) -> Engine:
    """A client of its own: what one client holds is counted one by one."""
    scopes = ("read", "book", "guest-data")
    return Engine((await issue.create(conn, issue.Wanted(name.replace(" ", "-"), scopes))).text)


async def listen(daemon: Daemon, engines: list[Engine]) -> None:
    """Let all of them call this process, which knows the prices then, so that nobody waits for who reads them."""
    url = await daemon.api()
    for engine in engines:
        engine.url = url
    days = f"from={today()}&to={today() + timedelta(days=1)}"
    assert (await engines[0].ask(Request("GET", f"/hotels/{HOTEL}/pricing?{days}", None, {}))).status == 200


async def road(gate: Gates, name: str, site: Site) -> int:
    """How many statements a write has."""
    other = Site(site.ask, site.room_type, 0)
    assert (await other.ask(await WRITES[name].prepare(other))).status == WRITES[name].status
    return len(gate.road)


async def stop_and_kill(
    daemon: Daemon, gate: Gates, sites: list[Site], wanted: list[Request], stops: list[int]
) -> None:
    """Let each write be stopped at its place, and kill the process when all of them are."""
    asking: list[asyncio.Task[Answer]] = []
    gate.stopped = 0
    for n, (site, request, stop) in enumerate(zip(sites, wanted, stops, strict=True), 1):
        gate.stops.append(stop)
        asking.append(asyncio.create_task(site.ask(request)))

        async def so_many(n: int = n) -> bool:
            return gate.stopped == n

        assert await until(so_many, 30), daemon.log()
    await daemon.kill()
    for answer in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(answer, aiohttp.ClientError), answer


def _named(sites: list[Site]) -> zip[tuple[str, Site]]:
    return zip(WRITES, sites, strict=True)


def _first(_number: int, _length: int) -> int:
    return 2


def _middle(number: int, length: int) -> int:
    return length // 2 + number


def _end(number: int, length: int, *, answered: int) -> int:
    return length + answered * (number % 2)
