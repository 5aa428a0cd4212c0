"""An engine that is never told what is, only asked to refresh its own caches, shows the truth all the same."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.pms.simulator import Simulator
from tests.support.cache_engine import CacheEngine
from tests.support.daemon import Roomwire, today
from tests.support.servers import ON_PG18
from tests.support.truth import truth

pytestmark = ON_PG18
"""Where the server makes no difference, one is enough."""


def shown(engine: CacheEngine) -> dict[str, Any]:
    """What an engine's guests see, from today on."""
    first = today().isoformat()
    return {
        "hotels": {number: (hotel["name"], hotel["total_rooms"]) for number, hotel in engine.hotels.items()},
        "room types": {key: (kind["name"], kind["description"]) for key, kind in engine.room_types.items()},
        "nights": {
            night: rooms
            for night, rooms in engine.nights.items()
            if night[2] >= first and (night[0], night[1]) in engine.room_types
        },
    }


def true(roomwire: Roomwire) -> dict[str, Any]:
    """The same as the PMS has it."""
    found, first = truth(roomwire.database.dsn, today()), today().isoformat()
    documents = found.documents.items()
    return {
        "hotels": {key[1]: (body["name"], body["total_rooms"]) for key, body in documents if key[0] == "hotel"},
        "room types": {
            (key[1], int(key[2])): (body["name"], body["description"])
            for key, body in documents
            if key[0] == "room_type"
        },
        "nights": {
            night: max(0, sellable - occupied)
            for night, (sellable, occupied) in found.nights.items()
            if night[2] >= first
        },
    }


@pytest.mark.timeout(600)
async def test_an_engine_that_refreshes_its_caches_shows_the_truth(roomwire: Roomwire) -> None:
    simulator = Simulator(roomwire.database.dsn, seed=17, connections=3, rate=None, today=today())
    async with CacheEngine() as engine:
        said = await roomwire.command(
            *("endpoint", "add", "engine", engine.url, "--format", "cache-refresh"),
            *("--header", f"Authorization: Bearer {engine.key}", "--heartbeat-seconds", "1"),
        )
        assert "secret" not in said
        key = await roomwire.add_key()
        async with roomwire.running() as daemon:
            engine.connect(await daemon.api(), key)
            await roomwire.settled(180)
            assert shown(engine) == true(roomwire)
            first = engine.calls.copy()
            engine.refusals = [500, 503]
            await simulator.run(actions=300)
            await roomwire.settled(180)
            assert shown(engine) == true(roomwire)
        listed = await roomwire.command("endpoint", "list")
    assert 0 < first["update-room-types"] < len(engine.room_types), "few calls for all room types"
    assert engine.calls["status"] > 0, "its heartbeat"
    assert engine.refusals == []
    assert "cache-refresh" in listed


async def test_a_cache_interface_needs_its_key(roomwire: Roomwire) -> None:
    with pytest.raises(AssertionError, match="Authorization: Bearer"):
        await roomwire.command("endpoint", "add", "engine", "http://127.0.0.1:1/cache", "--format", "cache-refresh")
