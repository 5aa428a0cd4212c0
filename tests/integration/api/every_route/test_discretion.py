"""No answer and no log line says what is secret."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import structlog

from api.context import Context
from api.request.routing import Nothing, Route
from tests.integration.api.every_route.calls import Call, call_of, everything, fields, routes
from tests.support.api import Api

MARKS = ("himitsu-9f2c1e", "090-4649-5963")
"""What a caller sends where it does not belong: a secret of his, or a guest's number."""


async def test_no_error_and_no_log_line_of_any_route_says_what_is_secret(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await everything(api)
    token = (await api.post("/auth/token", {}, key=key)).body["access_token"]
    hidden = [*MARKS, key, key[15:], token, token.rpartition(".")[2]]
    said: list[str] = []
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("api.access.rates._FAILURES_A_MINUTE", 1_000)
    with structlog.testing.capture_logs() as logs:
        for route in await routes(api):
            fitting = call_of(api, route, {})
            for wrong in wrongs(route, fitting, token):
                answer = await wrong.make(api, route, key=key)
                assert answer.status >= 400, (route.name, wrong)
                said.append(answer.raw.decode())
            for credentials in (f"{key[:-1]}x", f"{token[:-3]}xyz", f"{key} {token}", f"{key}{MARKS[0]}"):
                answer = await fitting.make(
                    api, route, key=None, headers={"Authorization": f"Bearer {credentials}"}
                )
                assert answer.status == 401
                said.append(answer.raw.decode())
        with monkeypatch.context() as broken:
            # Whatever goes wrong quotes what it was about, as drivers and the database do.
            broken.setattr(Context, "connection", fail)
            for route in await routes(api):
                answer = await call_of(api, route, {}).make(api, route, key=key)
                said.append(answer.raw.decode())
    told = [*said, *map(str, logs), *(record.getMessage() for record in caplog.records)]
    assert [line for line in told if any(mark in line for mark in hidden)] == []
    assert sum('"internal_error"' in line for line in said) > 10
    assert any(line["event"] == "api_error" for line in logs)


def fail(*_: object, **__: object) -> Any:
    """A connection that breaks with a quotation."""
    raise RuntimeError(f"Key (email)=({MARKS[0]}@example.jp) of {MARKS[1]}")


def wrongs(route: Route, fitting: Call, token: str) -> list[Call]:
    """A route's request with something secret wherever there is room, so that it is refused."""
    _, query, body = fields(route)
    secret = f"{MARKS[0]} {MARKS[1]}"
    found = [fitting._replace(query={**fitting.query, name: secret}) for name in (*query, "surplus")]
    found += [fitting._replace(query={**fitting.query, "access_token": token})]
    if route.body is not Nothing:
        nested = [{name: [secret]} for name in body] + [{name: {"inner": token}} for name in body]
        found += [fitting._replace(body=fitting.body | one | {"surplus": secret}) for one in nested]
    return found
