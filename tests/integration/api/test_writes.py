"""Every write names itself: without an Idempotency-Key nothing is written, and a key is good for one request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.access.scopes import SCOPES
from api.app import ROUTES
from api.request.routing import Route
from tests.support.api import Api

WRITING_NOTHING = {"makeToken", "validateToken", "makeQuote", "countReplay", "testEndpoint"}
"""What is asked with POST but leaves nothing behind: signed answers, a count, a message that changes nothing."""
CHANGES = [route for route in ROUTES if route.method != "GET"]


def test_every_route_that_writes_says_so() -> None:
    assert {route.name for route in CHANGES if not route.writes} == WRITING_NOTHING
    assert not [route.name for route in ROUTES if route.method == "GET" and route.writes]


def path_of(route: Route) -> str:
    """The path with its examples in it."""
    return route.path.format_map({name: str(value) for name, value in route.params_examples.items()})


async def all_writes(api: Api, headers: dict[str, str]) -> dict[str, tuple[int, str | None]]:
    """What each route that writes answers to its example with these headers: status and code."""
    key = await api.key(client="everything", scopes=SCOPES)
    said = {}
    for route in CHANGES:
        if route.writes:
            answer = await api.call(
                route.method, path_of(route), json=route.body_example, key=key, headers={"If-Match": "*"} | headers
            )
            said[route.name] = (answer.status, answer.code)
    return said


@pytest.mark.parametrize("given", ["", "k" * 256, "käse", "a\tb"])
async def test_a_write_without_a_proper_key_is_refused(api: Api, given: str) -> None:
    said = await all_writes(api, {"Idempotency-Key": given})
    assert set(said.values()) == {(400, "idempotency_key_missing")}, said
    assert await api.value("select count(*) from booking_engine.idempotency") == 0


async def test_a_key_is_good_for_one_request(api: Api) -> None:
    key = await api.key(client="everything", scopes=SCOPES)
    once = {"Idempotency-Key": str(uuid4())}
    first = await api.put("/auth/user/u1", {"client_id": str(uuid4())}, key=key, headers=once)
    assert first.code == "unknown_client"
    said: dict[str, Any] = await all_writes(api, once)
    early = {name: one for name, one in said.items() if one != (422, "idempotency_key_reused")}
    # These look at their address, or at who asks, before they begin.
    assert {code for _, code in early.values()} <= {"unknown_hotel", "unknown_endpoint", "endpoint_refused"}, early
    assert len(early) <= 6, early
