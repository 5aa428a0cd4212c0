"""How far clients have read, kept by themselves."""

from __future__ import annotations

import asyncio

from sql import feed
from sql.pool import Pool, connect
from tests.integration.feed.conftest import rows
from tests.support.daemon import until
from tests.support.servers.databases import Database

_BLOCKED = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'roomwire second'"


async def test_cursors_that_are_made_at_the_same_time_are_counted_all_the_same(ours: Database, pool: Pool) -> None:
    async with (
        await connect(ours.dsn, application="first") as first,
        await connect(ours.dsn, application="second", lock_timeout="60s") as second,
    ):
        assert await feed.ack(first, "engine", "one", 0, most=2) is not None
        async with asyncio.timeout(60), first.transaction():
            assert await feed.ack(first, "engine", "two", 0, most=2) is not None
            making = asyncio.create_task(feed.ack(second, "engine", "three", 0, most=2))

            async def blocked() -> bool:
                return bool(await rows(pool, _BLOCKED))

            assert await until(blocked, 30)
            assert await feed.ack(first, "other", "three", 0, most=2) is not None, "it is another client's"
        assert await making is None
        assert await feed.ack(second, "engine", "two", 0, most=2) is not None, "it is there"
        assert [one.name for one in await feed.cursors(first, "engine")] == ["one", "two"]
