"""Administration waits for those who write documents, and not the other way round."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from sql import endpoints, idempotency
from tests.integration.api.control.arrangement import WISHES, added, lacking
from tests.integration.delivery.receiver import Receiver
from tests.support.api import Answered, Api


async def test_who_writes_documents_goes_first(api: Api, receiver: Receiver) -> None:
    """What needs the list of endpoints to itself waits a few seconds, and can be asked again as it was."""
    await added(api, receiver, hotels=[1])
    asked, once = {"endpoint": "web"}, {"Idempotency-Key": "replay-1"}
    calls: list[Callable[[], Awaitable[Answered]]] = [
        lambda: api.post("/replays", asked, headers=once),
        lambda: api.post("/endpoints", WISHES | {"name": "two", "url": receiver.url}),
        lambda: api.put("/endpoints/web", WISHES),
        lambda: api.post("/endpoints/web/enable"),
    ]
    async with await psycopg.AsyncConnection.connect(api.database.dsn) as projector:
        await projector.execute("lock table booking_engine.endpoint in row share mode")
        for answer in await asyncio.gather(*(call() for call in calls)):
            assert (answer.status, answer.code) == (503, "unavailable")
            assert answer.headers["Retry-After"]
        assert await api.value("select count(*) from booking_engine.endpoint") == 1
    assert [(await call()).status for call in calls] == [202, 201, 200, 200]


_READ = """
    select
        (select coalesce(seq_scan, 0) + coalesce(idx_scan, 0)
        from pg_stat_xact_user_tables
        where relid = 'booking_engine.behind'::regclass),
        exists (
            select
            from pg_locks
            where relation = 'booking_engine.endpoint'::regclass and mode = 'ExclusiveLock'
                and pid = pg_backend_pid())
"""


@pytest.mark.parametrize("call", ["change", "enable"])
async def test_nothing_is_counted_while_writers_of_documents_wait(
    api: Api, receiver: Receiver, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million marks take a second to count; the server says how often the marks were read."""
    await added(api, receiver)
    await lacking(api, "web", error="HTTP 422")
    reads: list[tuple[int, bool]] = []
    keep, lock = idempotency.keep, endpoints.lock

    async def reading(conn: psycopg.AsyncConnection[Any]) -> None:
        (row,) = await (await conn.execute(_READ)).fetchall()
        reads.append(row)

    async def locking(conn: psycopg.AsyncConnection[Any]) -> None:
        await lock(conn)
        await reading(conn)

    async def keeping(conn: psycopg.AsyncConnection[Any], *given: Any) -> None:
        await reading(conn)
        await keep(conn, *given)

    monkeypatch.setattr(endpoints, "lock", locking)
    monkeypatch.setattr(idempotency, "keep", keeping)
    answer = await (api.put("/endpoints/web", WISHES) if call == "change" else api.post("/endpoints/web/enable"))
    (before, locked), (after, still) = reads
    assert (locked, still) == (True, True)
    assert before == after > 0
    assert (answer.status, answer.body["behind"], answer.body["refused"]) == (200, 1, 1)
    assert answer.body["behind_since"] is not None
