"""The connection lost at each statement of each write: done and answered the same when asked again, or not done."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.api import WRITER, Api, running_api
from tests.support.gates import ANSWER, Gates, gates
from tests.support.servers import PG15, PG18
from tests.support.servers.databases import Database
from tests.support.writes import WRITES, Answer, Request, Site, Write, at_rest, check, insist, room_types, sound


async def ask(api: Api, wanted: Request) -> Answer:
    method, path, body, headers = wanted
    answer = await api.call(method, path, json=body, headers=headers)
    return Answer(answer.status, answer.body, "Idempotent-Replayed" in answer.headers)


# From 17 on the server itself bounds a transaction: all of them there, and a share of them before.
@pytest.mark.parametrize(
    ("server", "names"),
    [
        pytest.param(PG18.name, [*WRITES][::2], id="pg18"),
        pytest.param(PG18.name, [*WRITES][1::2], id="pg18 the others"),
        pytest.param(PG15.name, [*WRITES][1::2], id="pg15"),
        pytest.param(PG15.name, [*WRITES][::2], id="pg15 the others", marks=pytest.mark.chaos),
    ],
    indirect=["server"],
)
async def test_it_is_interrupted_at_every_statement(
    in_step: Database, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, an attempt that is cut off is not made again by itself.
    monkeypatch.setattr("sql.pms.brevity._SILENCE", 600.0)
    async with gates(in_step.server.address) as gate:
        gate.cuts = True
        through: dict[str, str | int] = {"host": "127.0.0.1", "port": gate.port, "sslmode": "disable"}
        async with running_api(in_step, through=through | {"gssencmode": "disable"}) as api:
            kinds = await room_types(api.desk, len(names))
            for name, kind in zip(names, kinds, strict=True):
                await interrupted(api, gate, WRITES[name], kind)
            await sound(api.desk)


async def interrupted(api: Api, gate: Gates, write: Write, room_type: int) -> None:
    """Do it whole, to see its road; ask for another until each of its statements was the last one."""
    # The first one of a process also reads what is kept from then on.
    for number in range(2):
        site = Site(partial(ask, api), room_type, number)
        assert (await insist(site.ask, await write.prepare(site))).status == write.status
    road = gate.road
    assert (road[0], road[-1]) == ("begin", "commit")
    site = Site(partial(ask, api), room_type, 2)
    wanted = await write.prepare(site)
    before = await site.written(api.desk)
    for place in (*range(2, len(road) + 1), ANSWER):
        await cut(site, gate, wanted, place)
        await at_rest(api.desk, WRITER)
        assert (await site.written(api.desk) != before) == (place == ANSWER), road[place - 1 : place]
    await check(site, write, wanted, api.desk, done=True)
    site = Site(partial(ask, api), room_type, 3)
    wanted = await write.prepare(site)
    await cut(site, gate, wanted, len(road))
    await check(site, write, wanted, api.desk, done=False)


async def cut(site: Site, gate: Gates, wanted: Request, place: int) -> None:
    """Ask for it until its connection was lost there."""
    gate.stopped.clear()
    gate.stops = {wanted.key: place}
    while not gate.stopped:
        answer = await site.ask(wanted)
        # Where the machine is slow it has waited too long for its commit, and looked whether that was done.
        if place == ANSWER and answer.replayed:
            break
        assert answer.status in {409, 503}, answer
    gate.stops = {}
