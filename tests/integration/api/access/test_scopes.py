"""What a key allows: scopes, hotels, and the addresses it is used from."""

from __future__ import annotations

import re

import pytest

from api.access import rates
from api.access.addresses import parse_networks
from api.access.scopes import SCOPES
from api.app import ROUTES
from api.context import Options
from api.request.routing import Route
from tests.support.api import Answered, Api, running_api, same
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database

pytestmark = ON_PG18


async def test_a_key_needs_the_scope(api: Api) -> None:
    key = await api.key(scopes=("book",))
    answer = await api.get("/hotels", key=key)
    assert (answer.status, answer.code, answer.body["scope"]) == (403, "insufficient_scope", "read")


async def test_every_route_asks_for_its_key_and_scope_before_anything_else(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_FAILURES_A_MINUTE", 1_000)
    lacking = {scope: await api.key(scopes=tuple(one for one in SCOPES if one != scope)) for scope in SCOPES}
    guarded = [(route, route.scope) for route in ROUTES if route.scope]
    assert {scope for _, scope in guarded} == {"any", *SCOPES}
    for route, scope in guarded:
        path = re.sub(r"{\w+}", "1", route.path)
        assert (await api.call(route.method, path, key=None)).status == 401, route.name
        if scope != "any":
            answer = await api.call(route.method, path, key=lacking[scope])
            assert (answer.status, answer.code) == (403, "insufficient_scope"), route.name
            assert answer.body["scope"] == scope


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
    headers = {"Idempotency-Key": f"{route.name} of another", "If-Match": '"1"'}
    return await api.call(route.method, route.path.format(**given), key=key, json=body, headers=headers, **query)


async def test_another_s_hotel_looks_like_none(api: Api) -> None:
    bound, chain = await api.key(hotels=[1], scopes=SCOPES), await api.key(scopes=SCOPES)
    asking = [route for route in ROUTES if names_a_hotel(route)]
    assert len(asking) > 10
    for route in asking:
        if route.name != "streamEvents":  # the stream of his own hotel goes on for minutes
            assert (await of_hotel(api, route, 1, bound)).code != "unknown_hotel", route.name
        foreign = await of_hotel(api, route, 2, bound)
        assert (foreign.status, foreign.code) == (404, "unknown_hotel"), route.name
        assert same(foreign, await of_hotel(api, route, 999, bound)), route.name
        assert same(foreign, await of_hotel(api, route, 999, chain)), route.name


async def test_a_key_lists_its_hotels_only(api: Api) -> None:
    answer = await api.get("/hotels", key=await api.key(hotels=[2, 999]))
    assert [hotel["hotel_id"] for hotel in answer.body["hotels"]] == [2]


async def test_a_key_may_be_bound_to_addresses(api: Api) -> None:
    here, elsewhere = await api.key(addresses=["127.0.0.0/8"]), await api.key(addresses=["203.0.113.0/24"])
    assert (await api.get("/hotels", key=here)).status == 200
    answer = await api.get("/hotels", key=elsewhere, headers={"X-Forwarded-For": "203.0.113.9"})
    assert (answer.status, answer.code) == (403, "address_not_allowed")


async def test_a_trusted_proxy_says_who_calls(in_step: Database) -> None:
    options = Options(proxies=parse_networks("127.0.0.1"))
    async with running_api(in_step, options=options) as api:
        key = await api.key(addresses=["203.0.113.0/24"])
        for forwarded, status in (("203.0.113.9", 200), ("203.0.113.9, 198.51.100.1", 403), ("", 403)):
            answer = await api.get("/hotels", key=key, headers={"X-Forwarded-For": forwarded})
            assert answer.status == status, forwarded


async def test_a_key_that_came_by_plain_http_is_refused(in_step: Database) -> None:
    async with running_api(in_step, options=Options(proxies=parse_networks("127.0.0.1"))) as api:
        answer = await api.get("/hotels", headers={"X-Forwarded-Proto": "http"})
        assert (answer.status, answer.code) == (403, "insecure_transport")
        assert (await api.get("/hotels", headers={"X-Forwarded-Proto": "https"})).status == 200
