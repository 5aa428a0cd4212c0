"""How fresh an answer is, and what it says while the database is away."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from api.access import keys
from tests.integration.api.calendars import calendar, occupy, two_rooms
from tests.support.api import Api
from tests.support.daemon import until
from tests.support.servers import ON_PG18


async def test_a_calendar_is_as_new_as_the_documents_and_says_304_until_they_change(api: Api) -> None:
    type_id, (one, _) = await two_rooms(api)
    asked = {"from": api.day(100), "to": api.day(101), "room_type_id": type_id}
    before = await api.get("/availability/1", **asked)
    same = await api.get("/availability/1", headers={"If-None-Match": before.headers["ETag"]}, **asked)
    assert (same.status, same.raw) == (304, b"")
    await occupy(api, one, api.day(100))
    await api.project()
    after = await api.get("/availability/1", headers={"If-None-Match": before.headers["ETag"]}, **asked)
    assert after.status == 200
    (was,), (now,) = before.body["room_types"], after.body["room_types"]
    assert (was["ranges"][0]["available"], now["ranges"][0]["available"]) == (2, 1)
    assert now["version"] > was["version"]


async def says(api: Api, *, known: bool, stale: bool) -> bool:
    """Whether the calendar has an `as_of`, and is stale."""
    shown = await calendar(api)
    return (shown["as_of"] is not None, shown["stale"]) == (known, stale)


@ON_PG18
async def test_it_says_when_nobody_knows_how_fresh_it_is(api: Api) -> None:
    assert await says(api, known=True, stale=False)
    await api.desk.execute(
        "insert into booking_engine.dirty_scope (kind, hotel_id, reason) values ('availability', 1, 'test')"
    )
    assert await until(partial(says, api, known=False, stale=True), 5)
    other = await api.get("/availability/2", **{"from": api.day(0), "to": api.day(1)})
    assert other.body["stale"] is False
    await api.desk.execute("delete from booking_engine.dirty_scope")
    assert await until(partial(says, api, known=True, stale=False), 5)
    await api.desk.execute("update booking_engine.checkpoint set committed_at = now() - interval '31 s'")
    assert await until(partial(says, api, known=True, stale=True), 5)


@ON_PG18
@pytest.mark.own_server
async def test_the_calendar_is_answered_and_called_stale_while_the_database_is_away(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await calendar(api)
    for name in ("api.freshness.STALE_SECONDS", "api.access.keyring.KEEP_SECONDS", "api.hotels._KEEP"):
        monkeypatch.setattr(name, 0)
    api.database.server.stop()
    try:
        async with asyncio.timeout(20):
            for _ in range(20):
                away = await calendar(api)
                assert (away["room_types"], away["as_of"]) == (before["room_types"], before["as_of"])
                assert away["stale"] is True
            never_asked = await api.get("/availability/1", **{"from": api.day(1), "to": api.day(2)})
            assert (never_asked.status, never_asked.code) == (503, "unavailable")
            written = await api.post("/auth/token", {})
            assert (written.status, written.code) == (503, "unavailable")
            nobody = await api.get("/availability/1", key=keys.new_key().text)
            assert (nobody.status, nobody.code) == (503, "unavailable")
        monkeypatch.setattr("api.access.keyring.AWAY_SECONDS", 0)
        assert (await api.get("/availability/1", **{"from": api.day(1), "to": api.day(2)})).status == 503
    finally:
        api.database.server.start()


@ON_PG18
async def test_an_answer_never_waits_long_for_a_database_that_says_nothing(api: Api) -> None:
    before = await calendar(api)
    busy = [await api.context.pool.getconn() for _ in range(api.context.pool.max_size)]
    try:
        async with asyncio.timeout(20):
            for _ in range(10):
                assert (await calendar(api))["room_types"] == before["room_types"]
    finally:
        for conn in busy:
            await api.context.pool.putconn(conn)
    assert await until(partial(says, api, known=True, stale=False), 20)
