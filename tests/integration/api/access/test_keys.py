"""Keys: who has none or a wrong one, and a key's life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.access import issue, keyring
from api.access.keys import new_key
from api.request.problems import Problem
from sql import access
from sql.pool import Pool
from tests.integration.api.bookings.stays import asked, room_type
from tests.support.api import Api
from tests.support.daemon import until
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


async def test_without_a_valid_key_nobody_is_let_in(api: Api) -> None:
    unknown = ("rw_short", "a.b.c", new_key().text, "é")
    for header in ("", "Bearer", "Bearer ", "Basic cnc6", *(f"Bearer {text}" for text in unknown)):
        answer = await api.get("/hotels", key=None, headers={"Authorization": header})
        assert (answer.status, answer.code) == (401, "unauthorized"), header
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="roomwire"')
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert header.removeprefix("Bearer ").strip() not in answer.raw.decode() or len(header) < 8


async def test_bytes_that_are_no_text_are_no_token(api: Api) -> None:
    for text in ("a.\udcff.b", "\udcff"):
        with pytest.raises(Problem) as refused:
            await api.context.gate.enter(f"Bearer {text}", None)
        assert refused.value.code == "unauthorized"


async def test_a_key_with_a_wrong_checksum_costs_no_query(api: Api) -> None:
    broken = api.mine[:-1] + ("0" if api.mine[-1] != "0" else "1")
    before = dict(api.context.gate.keyring._known)
    assert (await api.get("/hotels", key=broken)).status == 401
    assert dict(api.context.gate.keyring._known) == before


async def test_the_secret_half_of_a_key_counts(api: Api) -> None:
    made = new_key()
    await api.desk.execute("update booking_engine.api_keys set id = %s", [made.id])
    assert (await api.get("/hotels", key=made.text)).status == 401


async def test_an_expired_key_is_refused(api: Api) -> None:
    key = await api.key(lifetime=timedelta(seconds=-1))
    answer = await api.get("/hotels", key=key)
    assert (answer.status, answer.body["detail"]) == (401, "The key has expired.")


@pytest.mark.usefixtures("at_once")
async def test_a_revoked_key_and_its_tokens_are_refused(api: Api) -> None:
    key = await api.key()
    token = (await api.post("/auth/token", {}, key=key)).body["access_token"]
    assert (await api.get("/hotels", key=token)).status == 200
    await issue.revoke(api.desk, key[3:15])
    assert (await api.get("/hotels", key=key)).status == 401
    assert (await api.get("/hotels", key=token)).status == 401
    with pytest.raises(issue.IssueError):
        await issue.rotate(api.desk, key[3:15])


@asynccontextmanager
async def taken(pool: Pool) -> AsyncIterator[None]:
    """All connections of a pool are at work."""
    async with AsyncExitStack() as stack:
        for _ in range(pool.max_size):
            await stack.enter_async_context(pool.connection())
        yield


@pytest.mark.usefixtures("at_once")
async def test_a_revoked_key_is_refused_however_busy_the_database_is(api: Api) -> None:
    key = await api.key()
    assert (await api.get("/hotels", key=key)).status == 200
    await issue.revoke(api.desk, key[3:15])
    async with taken(api.context.pool):
        refused = await api.post("/bookings", asked(api, await room_type(api, rooms=1)), key=key)
    assert (refused.status, refused.code) == (401, "unauthorized")


@pytest.mark.usefixtures("at_once")
async def test_a_key_that_cannot_be_checked_opens_what_is_in_memory_and_nothing_else(api: Api) -> None:
    key, body = await api.key(), asked(api, await room_type(api, rooms=1))
    token = (await api.post("/auth/token", {}, key=key)).body["access_token"]
    days = {"from": str(api.day(0)), "to": str(api.day(3))}
    stay = {"check_in": body["check_in"], "check_out": body["check_out"], "guests": 1}
    before = await api.get("/availability/1", key=key, **days)
    await issue.revoke(api.desk, key[3:15])
    async with taken(api.context.checks):
        for one in (key, token):
            for unproven in (
                await api.post("/bookings", body, key=one),
                await api.post("/auth/token", {}, key=one),
                await api.get("/availability/1", key=one, **stay),
                await api.get("/hotels", key=one),
            ):
                assert (unproven.status, unproven.code) == (503, "unavailable")
            calendar = await api.get("/availability/1", key=one, **days)
            assert (calendar.status, calendar.body["room_types"]) == (200, before.body["room_types"])
    assert await api.value("select count(*) from booking_engine.booking_link") == 0

    async def refused() -> bool:
        return (await api.get("/availability/1", key=key, **days)).status == 401

    assert await until(refused, 60)


async def test_a_verified_key_costs_no_query_for_a_while(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < keyring.KEEP_SECONDS <= 5
    monkeypatch.setattr(keyring, "KEEP_SECONDS", 600.0)  # more than a busy machine needs for what follows
    key = await api.key()
    assert (await api.get("/hotels", key=key)).status == 200
    await issue.revoke(api.desk, key[3:15])
    assert (await api.get("/hotels", key=key)).status == 200  # revocation acts within KEEP_SECONDS


@pytest.mark.usefixtures("at_once")
async def test_a_rotated_key_works_until_its_overlap_is_over(api: Api) -> None:
    old = await api.key(client="sakura", scopes=("read",), hotels=[2])
    made, _ = await issue.rotate(api.desk, old[3:15], overlap=timedelta(hours=1))
    listed = [(await api.get("/hotels", key=key)).body["hotels"] for key in (old, made.text)]
    assert listed[0] == listed[1]
    assert [hotel["hotel_id"] for hotel in listed[1]] == [2]
    await issue.rotate(api.desk, old[3:15], overlap=timedelta(0))
    assert (await api.get("/hotels", key=old)).status == 401
    assert (await api.get("/hotels", key=made.text)).status == 200


async def test_the_database_keeps_no_key(api: Api) -> None:
    rows = await api.rows("select k::text from booking_engine.api_keys k")
    assert rows
    assert not [row for row in rows if api.mine in row[0] or api.mine[15:47] in row[0]]


async def test_the_api_cannot_make_keys(api: Api) -> None:
    async with api.context.connection() as conn:
        for statement in (
            "delete from booking_engine.api_keys",
            "update booking_engine.api_keys set scopes = '{}'",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(statement)


async def test_a_key_that_many_ask_for_at_once_is_looked_up_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.get("/hotels")
    looked = 0
    real = access.key

    async def counted(*given: Any) -> Any:
        nonlocal looked
        looked += 1
        return await real(*given)

    monkeypatch.setattr(access, "key", counted)
    known = api.context.gate.keyring._known
    for key_id, one in list(known.items()):
        known[key_id] = replace(one, looked=0.0)
    answers = await asyncio.gather(*(api.get("/hotels") for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert looked == 1
