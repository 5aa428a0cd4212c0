"""Tokens: never more than their key, for their own client only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.api import Api, running_api
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database

pytestmark = ON_PG18


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
