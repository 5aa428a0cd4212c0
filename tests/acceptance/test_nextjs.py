"""The Next.js example as an endpoint of a running Roomwire ends with the truth, as the mirror beside it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.pms.simulator import Simulator
from outbox.signing import new_secret
from tests.support.daemon import Roomwire, today
from tests.support.mirror.process import MirrorProcess
from tests.support.nextjs.engine import Engine
from tests.support.nextjs.supabase import Supabase
from tests.support.servers import ON_PG15
from tests.support.servers.databases import fresh_database


@pytest.mark.timeout(600)
@ON_PG15
async def test_the_example_holds_the_truth(roomwire: Roomwire, mirror: MirrorProcess, nextjs: Path) -> None:
    secret = new_secret()
    simulator = Simulator(roomwire.database.dsn, seed=5, connections=3, rate=None, today=today())
    with fresh_database(roomwire.database.server) as kept:
        async with Supabase(kept) as supabase, Engine(nextjs, secret, supabase) as engine:
            await roomwire.add_endpoint("nextjs", engine.url, secret)
            async with roomwire.running():
                await roomwire.settled(180)
                supabase.failing = 2
                await simulator.run(actions=200)
                await roomwire.settled(180)
            held, beside = supabase.mirror(), await mirror.mirror()
            assert supabase.failing == 0
        assert roomwire.wrong(held) == []
        assert roomwire.wrong(beside) == []
        assert held.documents == beside.documents
        assert held.nights == beside.nights
