"""Who is let in: keys, tokens, scopes, hotels, addresses, rates, and the record of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog

from api.access import issue, journal, keyring
from api.access.addresses import parse_networks
from api.access.keys import new_key
from api.access.scopes import SCOPES
from api.app import ROUTES
from api.house import Wishes
from api.metrics import AUDIT_LOST
from api.request.problems import Problem
from api.request.routing import Route
from sql import access
from sql.pool import Pool
from tests.integration.api.bookings.stays import asked, room_type
from tests.support.api import Answered, Api, running_api
from tests.support.daemon import until
from tests.support.servers.databases import Database


def same(one: Answered, other: Answered) -> bool:
    """Whether two answers say the same, but for the request's id."""
    return one.status == other.status and {**one.body, "request_id": ""} == {**other.body, "request_id": ""}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verified key is looked up again with the next request."""
    monkeypatch.setattr(keyring, "KEEP_SECONDS", 0.0)


# -- no key, or a wrong one


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic cnc6",
        "Bearer rw_short",
        "Bearer a.b.c",
        pytest.param(f"Bearer {new_key().text}", id="Bearer a new key"),
        "Bearer é",
    ],
)
async def test_without_a_valid_key_nobody_is_let_in(api: Api, header: str) -> None:
    answer = await api.get("/hotels", key=None, headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="roomwire"')
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert header.removeprefix("Bearer ").strip() not in answer.raw.decode() or len(header) < 8


@pytest.mark.parametrize("text", ["a.\udcff.b", "\udcff"])
async def test_bytes_that_are_no_text_are_no_token(api: Api, text: str) -> None:
    with pytest.raises(Problem) as refused:
        await api.house.gate.enter(f"Bearer {text}", None)
    assert refused.value.code == "unauthorized"


async def test_a_key_with_a_wrong_checksum_costs_no_query(api: Api) -> None:
    broken = api.mine[:-1] + ("0" if api.mine[-1] != "0" else "1")
    before = dict(api.house.gate.keyring._known)
    assert (await api.get("/hotels", key=broken)).status == 401
    assert dict(api.house.gate.keyring._known) == before


async def test_the_secret_half_of_a_key_counts(api: Api) -> None:
    made = new_key()
    await api.desk.execute("update booking_engine.api_keys set id = %s", [made.id])
    assert (await api.get("/hotels", key=made.text)).status == 401


# -- the life of a key


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
    async with taken(api.house.pool):
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
    async with taken(api.house.checks):
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
    async with api.house.connection() as conn:
        for statement in (
            "delete from booking_engine.api_keys",
            "update booking_engine.api_keys set scopes = '{}'",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(statement)


# -- scopes and hotels


async def test_a_key_needs_the_scope(api: Api) -> None:
    key = await api.key(scopes=("book",))
    answer = await api.get("/hotels", key=key)
    assert (answer.status, answer.code, answer.body["scope"]) == (403, "insufficient_scope", "read")


@pytest.mark.parametrize("route", [one for one in ROUTES if one.scope], ids=lambda route: route.name)
async def test_every_route_asks_for_its_key_and_scope_before_anything_else(api: Api, route: Route) -> None:
    path = re.sub(r"{\w+}", "1", route.path)
    assert (await api.call(route.method, path, key=None)).status == 401
    if route.scope != "any":
        others = tuple(scope for scope in SCOPES if scope != route.scope)
        answer = await api.call(route.method, path, key=await api.key(scopes=others))
        assert (answer.status, answer.code, answer.body["scope"]) == (403, "insufficient_scope", route.scope)


def names_a_hotel(route: Route) -> bool:
    """Whether a caller says which hotel he means."""
    return "hotel_id" in route.params.model_fields or "hotel_id" in route.body.model_fields


async def of_hotel(api: Api, route: Route, hotel: int, key: str) -> Answered:
    """The route's own example, asked of a hotel."""
    given = {**route.params_examples, "hotel_id": hotel}
    query = {name: value for name, value in given.items() if f"{{{name}}}" not in route.path}
    if "hotel_id" not in route.params.model_fields:
        query.pop("hotel_id")
    body = {**route.body_example, "hotel_id": hotel} if route.body_example else None
    headers = {"Idempotency-Key": "another-s-hotel", "If-Match": '"1"'}
    return await api.call(route.method, route.path.format(**given), key=key, json=body, headers=headers, **query)


@pytest.mark.parametrize("route", [one for one in ROUTES if names_a_hotel(one)], ids=lambda route: route.name)
async def test_another_s_hotel_looks_like_none(api: Api, route: Route) -> None:
    scopes = ("read", "book", "guest-data", "admin")
    bound, chain = await api.key(hotels=[1], scopes=scopes), await api.key(scopes=scopes)
    if route.name != "streamEvents":  # the stream of his own hotel goes on for minutes
        assert (await of_hotel(api, route, 1, bound)).code != "unknown_hotel"
    foreign = await of_hotel(api, route, 2, bound)
    assert (foreign.status, foreign.code) == (404, "unknown_hotel")
    assert same(foreign, await of_hotel(api, route, 999, bound))
    assert same(foreign, await of_hotel(api, route, 999, chain))


async def test_a_key_lists_its_hotels_only(api: Api) -> None:
    answer = await api.get("/hotels", key=await api.key(hotels=[2, 999]))
    assert [hotel["hotel_id"] for hotel in answer.body["hotels"]] == [2]


# -- addresses


async def test_a_key_may_be_bound_to_addresses(api: Api) -> None:
    here, elsewhere = await api.key(addresses=["127.0.0.0/8"]), await api.key(addresses=["203.0.113.0/24"])
    assert (await api.get("/hotels", key=here)).status == 200
    answer = await api.get("/hotels", key=elsewhere, headers={"X-Forwarded-For": "203.0.113.9"})
    assert (answer.status, answer.code) == (403, "address_not_allowed")


async def test_a_trusted_proxy_says_who_calls(in_step: Database) -> None:
    wishes = Wishes(proxies=parse_networks("127.0.0.1"))
    async with running_api(in_step, wishes=wishes) as api:
        key = await api.key(addresses=["203.0.113.0/24"])
        for forwarded, status in (("203.0.113.9", 200), ("203.0.113.9, 198.51.100.1", 403), ("", 403)):
            answer = await api.get("/hotels", key=key, headers={"X-Forwarded-For": forwarded})
            assert answer.status == status, forwarded


async def test_a_key_that_came_by_plain_http_is_refused(in_step: Database) -> None:
    async with running_api(in_step, wishes=Wishes(proxies=parse_networks("127.0.0.1"))) as api:
        answer = await api.get("/hotels", headers={"X-Forwarded-Proto": "http"})
        assert (answer.status, answer.code) == (403, "insecure_transport")
        assert (await api.get("/hotels", headers={"X-Forwarded-Proto": "https"})).status == 200


# -- rates


async def test_a_key_has_so_many_requests_a_minute(api: Api) -> None:
    key = await api.key(requests_per_minute=5)
    answers = [await api.get("/hotels", key=key) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=5;w=60'
    assert answers[0].headers["RateLimit"].startswith('"minute";r=4;t=')
    refused = answers[-1]
    assert refused.code == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"minute";r=0;t=')
    assert (await api.get("/hotels")).status == 200  # another key's requests are its own


async def test_who_tries_keys_is_no_longer_heard(api: Api) -> None:
    answers = [await api.get("/hotels", key=f"wrong{n}") for n in range(70)]
    assert answers[0].status == 401
    assert answers[-1].status == 429
    assert (await api.get("/hotels")).status == 200


# -- tokens


async def test_a_token_allows_what_was_asked_and_no_more(api: Api) -> None:
    made = await api.post("/auth/token", {"scopes": ["read"], "hotels": [2], "user_id": "u1", "seconds": 60})
    assert made.status == 200
    assert made.headers["Cache-Control"] == "no-store"
    said = made.body
    names = ("token_type", "scopes", "hotels", "user_id")
    assert [said[name] for name in names] == ["Bearer", ["read"], [2], "u1"]
    assert 58 <= said["expires_in"] <= 60
    token = said["access_token"]
    assert [h["hotel_id"] for h in (await api.get("/hotels", key=token)).body["hotels"]] == [2]
    assert (await api.get("/hotels/1", key=token)).status == 404
    assert (
        await api.put("/auth/user/u1", {"client_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}, key=token)
    ).status == 403
    again = await api.post("/auth/token", {"hotels": [1]}, key=token)
    assert (again.status, again.code) == (404, "unknown_hotel")
    wider = await api.post("/auth/token", {"scopes": ["read", "book"]}, key=token)
    assert (wider.status, wider.code) == (403, "insufficient_scope")


async def test_a_token_does_not_outlive_a_quarter_of_an_hour(api: Api) -> None:
    answer = await api.post("/auth/token", {"seconds": 901})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/seconds")


async def test_a_token_cannot_renew_itself(api: Api) -> None:
    first = (await api.post("/auth/token", {"seconds": 30})).body
    second = (await api.post("/auth/token", {"seconds": 900}, key=first["access_token"])).body
    assert second["expires_at"] == first["expires_at"]
    assert second["expires_in"] <= 30


async def test_a_token_does_not_outlive_its_key(api: Api) -> None:
    key = await api.key(lifetime=timedelta(seconds=100))
    assert (await api.post("/auth/token", {}, key=key)).body["expires_in"] <= 100


@pytest.mark.usefixtures("at_once")
async def test_a_token_loses_what_its_key_loses(api: Api) -> None:
    key = await api.key(hotels=[1, 2])
    token = (await api.post("/auth/token", {}, key=key)).body["access_token"]
    await api.desk.execute(
        "update booking_engine.api_keys set hotels = '{1}', scopes = '{read}' where id = %s", [key[3:15]]
    )
    assert (await api.get("/hotels/2", key=token)).status == 404
    said = (await api.post("/auth/validate-token", {"token": token}, key=key)).body
    assert (said["valid"], said["hotels"], said["scopes"]) == (True, [1], ["read"])


async def test_a_token_is_judged_for_its_own_client_only(api: Api) -> None:
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    said = (await api.post("/auth/validate-token", {"token": token})).body
    assert (said["valid"], said["reason"], said["client"], said["user_id"]) == (True, None, "engine", "u1")
    assert (await api.post("/auth/validate-token", {"token": token + "x"})).body["valid"] is False
    other = await api.key(client="other")
    judged = (await api.post("/auth/validate-token", {"token": token}, key=other)).body
    assert {name for name, value in judged.items() if value} == {"reason"}


async def test_tokens_of_another_installation_are_refused(api: Api, in_step: Database) -> None:
    foreign = "Zm9yZWlnbmZvcmVpZ25mb3JlaWduZm9yZWlnbmZvcmU="
    async with running_api(in_step, secrets=foreign) as other:
        token = (await other.post("/auth/token", {})).body["access_token"]
    assert (await api.get("/hotels", key=token)).status == 401


# -- users


async def client(api: Api) -> tuple[Any, ...]:
    """A client of the PMS who can be written to."""
    rows = await api.rows(
        "select id::text, coalesce(name_kanji, name_kana, name), email from clients where email is not null limit 1"
    )
    return rows[0]


async def test_a_user_is_a_client_of_the_pms(api: Api) -> None:
    client_id, name, email = await client(api)
    assert (await api.get("/auth/user/u1")).code == "unknown_user"
    linked = await api.put("/auth/user/u1", {"client_id": client_id})
    assert (linked.status, linked.body["client_id"]) == (200, client_id)
    read = (await api.get("/auth/user/u1")).body
    assert (read["name"], read["email"], read["linked_at"]) == (name, email, linked.body["linked_at"])


async def test_a_user_is_the_client_s_who_linked_him(api: Api) -> None:
    client_id, *_ = await client(api)
    await api.put("/auth/user/u1", {"client_id": client_id})
    other = await api.get("/auth/user/u1", key=await api.key(client="other"))
    absent = await api.get("/auth/user/u2")
    assert same(other, absent)


async def test_contacts_need_the_scope_guest_data(api: Api) -> None:
    client_id, *_ = await client(api)
    await api.put("/auth/user/u1", {"client_id": client_id})
    said = (await api.get("/auth/user/u1", key=await api.key(scopes=("read",)))).body
    assert said["client_id"] == client_id
    assert [said[name] for name in ("name", "name_kana", "email", "phone")] == [None] * 4


async def test_a_user_s_token_knows_no_other_user(api: Api) -> None:
    client_id, *_ = await client(api)
    for user in ("u1", "u2"):
        await api.put(f"/auth/user/{user}", {"client_id": client_id})
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    assert (await api.get("/auth/user/u1", key=token)).status == 200
    assert (await api.get("/auth/user/u2", key=token)).code == "unknown_user"
    assert (await api.post("/auth/token", {"user_id": "u2"}, key=token)).code == "unknown_user"
    linked = await api.put("/auth/user/u1", {"client_id": client_id}, key=token)
    assert (linked.status, linked.code) == (403, "insufficient_scope")


async def test_a_user_cannot_be_a_client_that_there_is_not(api: Api) -> None:
    answer = await api.put("/auth/user/u1", {"client_id": "00000000-0000-4000-8000-000000000000"})
    assert (answer.status, answer.code) == (404, "unknown_client")
    assert await api.value("select count(*) from booking_engine.engine_user") == 0


async def test_a_user_who_is_known_by_his_contact_only_is_found_or_made(api: Api) -> None:
    client_id, name, email = await client(api)
    before = await api.value("select count(*) from clients")
    known = await api.put("/auth/user/u1", {"guest": {"name": name, "email": email}})
    assert (known.status, known.body["client_id"]) == (200, client_id)
    assert await api.value("select count(*) from clients") == before
    guest = {"name": "山田 花子", "phone": "090-0000-0001"}
    key = {"Idempotency-Key": "made once"}
    made = await api.put("/auth/user/u2", {"guest": guest}, headers=key)
    assert (made.status, made.body["name"], made.body["phone"]) == (200, guest["name"], guest["phone"])
    assert (await api.put("/auth/user/u2", {"guest": guest}, headers=key)).raw == made.raw
    # Whom a client has linked its key knows from then on, of whatever hotels it is.
    again = await api.put("/auth/user/u3", {"guest": guest}, key=await api.key(hotels=(2,)))
    assert again.body["client_id"] == made.body["client_id"]
    assert await api.value("select count(*) from clients") == before + 1
    assert await api.value("select created_by from clients where id = %s", made.body["client_id"]) == 2


async def test_a_stranger_s_contact_tells_nobody_that_he_is_a_client(api: Api) -> None:
    client_id = await api.value(
        "insert into clients (id, name, name_kanji, email, created_by, updated_by)"
        " values (gen_random_uuid(), 'T', '鈴木 一郎', 'ichiro@example.jp', 1, 1) returning id::text"
    )
    guest = {"name": "鈴木 一郎", "email": "ichiro@example.jp"}
    of_one = await api.put("/auth/user/u1", {"guest": guest}, key=await api.key(hotels=(2,), client="narrow"))
    assert of_one.status == 200
    assert of_one.body["client_id"] != client_id
    assert (await api.put("/auth/user/u1", {"guest": guest})).body["client_id"] == client_id


async def test_a_user_is_linked_in_one_way_that_finds_him(api: Api) -> None:
    client_id, name, email = await client(api)
    before = await api.value("select count(*) from clients")
    guest = {"name": name, "email": email}
    for body, pointer in (
        ({}, "/client_id"),
        ({"client_id": client_id, "guest": guest}, "/client_id"),
        ({"guest": {"name": name}}, "/guest/email"),
        ({"guest": {"email": email}}, "/guest/name"),
    ):
        wrong = await api.put("/auth/user/u1", body)
        assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (422, pointer)
    reads = await api.put("/auth/user/u1", {"guest": guest}, key=await api.key(scopes=("read", "guest-data")))
    assert (reads.status, reads.code, reads.body["scope"]) == (403, "insufficient_scope", "book")
    assert await api.value("select count(*) from booking_engine.engine_user") == 0
    assert await api.value("select count(*) from clients") == before


# -- the record


async def test_writes_and_refusals_are_audited(api: Api) -> None:
    await api.get("/hotels")
    await api.get("/hotels", key="wrong", headers={"X-Request-Id": "refused-1"})
    await api.get("/hotels/1", key=await api.key(scopes=("book",)), headers={"X-Request-Id": "refused-2"})
    await api.post("/auth/token", {"user_id": "u1"}, headers={"X-Request-Id": "written-1"})

    async def written() -> bool:
        return bool(await api.value("select count(*) = 3 from booking_engine.audit_log"))

    assert await until(written, 60)
    rows = await api.rows(
        "select request_id, source, host(address), method, path, status, code from booking_engine.audit_log"
        " order by request_id"
    )
    base = "/api/booking-engine"
    assert rows == [
        ("refused-1", None, "127.0.0.1", "GET", f"{base}/hotels", 401, "unauthorized"),
        ("refused-2", "engine", "127.0.0.1", "GET", f"{base}/hotels/1", 403, "insufficient_scope"),
        ("written-1", "engine", "127.0.0.1", "POST", f"{base}/auth/token", 200, None),
    ]


async def test_the_last_use_of_a_key_is_noted(api: Api) -> None:
    await api.get("/hotels")

    async def noted() -> bool:
        return bool(
            await api.value("select last_used_at from booking_engine.api_keys where id = %s", api.mine[3:15])
        )

    assert await until(noted, 60)


async def test_the_audit_log_is_kept_for_so_long(api: Api) -> None:
    await api.desk.execute(
        "insert into booking_engine.audit_log (at, request_id, method, path, status, took_ms)"
        " select clock_timestamp() - n * interval '1 day', n::text, 'POST', '/', 200, 1"
        " from unnest(array[364, 366, 400]) as n"
    )
    await api.house.journal.forget()
    assert await api.rows("select request_id from booking_engine.audit_log") == [("364",)]


async def test_what_cannot_be_written_now_is_written_later(api: Api) -> None:
    async with api.desk.transaction():
        await api.desk.execute("lock booking_engine.audit_log in access exclusive mode")
        await api.post("/auth/token", {})
        with pytest.raises(Exception, match="lock timeout"):
            await api.house.journal.write()
    await api.house.journal.write()
    assert await api.value("select count(*) from booking_engine.audit_log") == 1


async def test_too_many_unwritten_lines_are_lost_oldest_first_and_that_is_said(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST", 3)
    with structlog.testing.capture_logs() as logs:
        async with api.desk.transaction():
            await api.desk.execute("lock booking_engine.audit_log in access exclusive mode")
            for n in range(5):
                await api.post("/auth/token", {}, headers={"X-Request-Id": f"request-{n}"})

        async def written() -> bool:
            await api.house.journal.write()
            return bool(await api.value("select count(*) = 3 from booking_engine.audit_log"))

        assert await until(written, 60)
        assert await until(said(logs), 60)
    assert await api.rows("select request_id from booking_engine.audit_log order by 1") == [
        (f"request-{n}",) for n in (2, 3, 4)
    ]
    assert [line["lines"] for line in logs if line["event"] == "audit_lost"] == [2]


async def test_a_line_that_the_database_refuses_is_lost_alone(api: Api) -> None:
    def lost() -> float:
        return float(AUDIT_LOST.labels("refused")._value.get())

    async def written() -> bool:
        await api.house.journal.write()
        return not lines

    before, lines = lost(), api.house.journal._lines
    with structlog.testing.capture_logs() as logs:
        async with api.desk.transaction():
            # Nobody else writes them meanwhile.
            await api.desk.execute("lock booking_engine.audit_log in access exclusive mode")
            for n in range(9):
                await api.post("/auth/token", {}, headers={"X-Request-Id": f"request-{n}"})
            lines[2] = replace(lines[2], address="fe80::1%eth0")
            lines[5] = replace(lines[5], path="/\udcff")
            lines[6] = replace(lines[6], method="\0")
        assert await until(written, 60)
    ids = [row[0] for row in await api.rows("select request_id from booking_engine.audit_log order by id")]
    assert ids == [f"request-{n}" for n in range(9) if n not in {2, 5, 6}]
    assert lost() == before + 3
    refused = [line["request_id"] for line in logs if line["event"] == "audit_refused"]
    assert refused == [f"request-{n}" for n in (2, 5, 6)]


def said(logs: Any) -> Any:
    """Whether lines were said to be lost."""

    async def lost() -> bool:
        return any(line["event"] == "audit_lost" for line in logs)

    return lost


async def test_a_key_that_many_ask_for_at_once_is_looked_up_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.get("/hotels")
    looked = 0
    real = access.key

    async def counted(*given: Any) -> Any:
        nonlocal looked
        looked += 1
        return await real(*given)

    monkeypatch.setattr(access, "key", counted)
    known = api.house.gate.keyring._known
    for key_id, one in list(known.items()):
        known[key_id] = replace(one, looked=0.0)
    answers = await asyncio.gather(*(api.get("/hotels") for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert looked == 1
