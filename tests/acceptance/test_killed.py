"""The API killed amid all of its writes: each is done and answered the same when asked again, or not done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api.access import issue
from tests.support.daemon import Daemon, Roomwire, today, until
from tests.support.gates import ANSWER, COMMIT, Gates, gates
from tests.support.servers import KINDS, ON_PG18, PG18
from tests.support.writes import (
    HOTEL,
    WRITES,
    Answer,
    Request,
    Site,
    Write,
    at_rest,
    check,
    insist,
    room_types,
    sound,
)

Conn = psycopg.AsyncConnection[Any]

LONG = (pytest.mark.chaos, pytest.mark.timeout(900))
BOOKING = 14
"""So many statements a booking has, with its first and its last: where fewer are seen, some are not tried."""
EACH = [
    pytest.param(kind, name, marks=() if (kind, name) == (PG18.name, "book") else LONG)
    for kind in KINDS
    for name in WRITES
]


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


@dataclass
class Scene:
    """A PMS whose API is reached through gates. conn: a look at the database; gate: the gates."""

    roomwire: Roomwire
    conn: Conn
    gate: Gates

    @asynccontextmanager
    async def process(self, engines: Sequence[Engine]) -> AsyncIterator[Daemon]:
        """A process of the API that all of them call."""
        async with self.roomwire.running("--only", "api") as daemon:
            await listen(daemon, engines)
            yield daemon

    async def killed(self, daemon: Daemon, sites: Mapping[str, Site], place: int) -> list[Killed]:
        """Ask for these writes at once, and kill the process as soon as one is stopped at this place."""
        killed = [Killed(site, WRITES[name], await WRITES[name].prepare(site)) for name, site in sites.items()]
        for one in killed:
            one.before = await one.site.written(self.conn)
        await stop_and_kill(daemon, self.gate, killed, place)
        await at_rest(self.conn, self.roomwire.writer)
        for one in killed:
            one.done = await one.site.written(self.conn) != one.before
        assert {one.done for one in killed if one.request.key in self.gate.stopped} == {place == ANSWER}
        return killed


@pytest.fixture
async def scene(roomwire: Roomwire) -> AsyncIterator[Scene]:
    """Such a PMS, with documents in step."""
    async with roomwire.running():
        await roomwire.settled()
    async with (
        await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn,
        gates(roomwire.database.server.address) as gate,
    ):
        behind_gates(roomwire, gate)
        yield Scene(roomwire, conn, gate)


# Whose transactions are undone is tested of one server as well as of two.
@ON_PG18
async def test_it_is_killed_amid_all_writes(scene: Scene) -> None:
    engines = {name: await client(scene.conn, name) for name in WRITES}
    kinds = await room_types(scene.conn, len(WRITES))
    killed: list[Killed] = []
    # As soon as one is amid its statements, before its commit, or behind it.
    for number, place in enumerate((4, 8, COMMIT, ANSWER)):
        async with scene.process([*engines.values()]) as daemon:
            await ask_again(scene.conn, killed)
            of = zip(engines.items(), kinds, strict=True)
            sites = {name: Site(engine.ask, kind, number) for (name, engine), kind in of}
            killed = await scene.killed(daemon, sites, place)
    async with scene.process([*engines.values()]):
        await ask_again(scene.conn, killed)
    await sound(scene.conn)


@pytest.mark.parametrize(("server", "name"), EACH, indirect=["server"])
async def test_it_is_killed_at_each_statement(scene: Scene, name: str) -> None:
    engine = await client(scene.conn, name)
    (kind,) = await room_types(scene.conn, 1)
    async with scene.process([engine]):
        for number in range(2):  # the first one of a process also reads what is kept from then on
            site = Site(engine.ask, kind, number)
            await insist(engine.ask, await WRITES[name].prepare(site))
    places = [*range(2, len(scene.gate.road) + 1), ANSWER]
    assert scene.gate.road[-1] == "commit"
    assert len(scene.gate.road) >= (BOOKING if name == "book" else 10)
    killed: list[Killed] = []
    for number, place in enumerate(places, 2):
        async with scene.process([engine]) as daemon:
            await ask_again(scene.conn, killed)
            killed = await scene.killed(daemon, {name: Site(engine.ask, kind, number)}, place)
    async with scene.process([engine]):
        await ask_again(scene.conn, killed)
    await sound(scene.conn)


@dataclass
class Killed:
    """A write that was under way. before: what was written before it; done: whether it was."""

    site: Site
    write: Write
    request: Request
    before: str | None = None
    done: bool = False


async def ask_again(conn: Conn, killed: list[Killed]) -> None:
    """Ask another process for what was under way."""
    for one in killed:
        await check(one.site, one.write, one.request, conn, done=one.done)


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


async def listen(daemon: Daemon, engines: Sequence[Engine]) -> None:
    """Let all of them call this process, which knows the prices then, so that nobody waits for who reads them."""
    url = await daemon.api()
    for engine in engines:
        engine.url = url
    days = f"from={today()}&to={today() + timedelta(days=1)}"
    assert (await engines[0].ask(Request("GET", f"/hotels/{HOTEL}/pricing?{days}", None, {}))).status == 200


async def stop_and_kill(daemon: Daemon, gate: Gates, killed: list[Killed], place: int) -> None:
    """Ask for all of them at once, and kill the process as soon as one is stopped at this place."""
    gate.stopped.clear()
    gate.stops = {one.request.key: place for one in killed}
    asking = [asyncio.create_task(_ask(one)) for one in killed]

    async def stopped() -> bool:
        return bool(gate.stopped)

    assert await until(stopped, 60), daemon.log()
    await daemon.kill()
    await asyncio.gather(*asking)
    gate.stops = {}


async def _ask(one: Killed) -> None:
    """Ask for it until nobody is there any more, or who waited for its commit has looked whether it was done."""
    with suppress(aiohttp.ClientError):
        while not (answer := await one.site.ask(one.request)).replayed:
            assert answer.status in {409, 503}, answer
