"""No route takes what it should not: bodies that are none, fields that are wrong, other paths."""

from __future__ import annotations

import gzip
import json
from typing import Any

import orjson
from pydantic import ValidationError

from api.request.problems import CONTENT_TYPE
from api.request.routing import Nothing, Route
from tests.integration.api.bookings.stays import HOTEL, written
from tests.integration.api.every_route.calls import call_of, everything, fields, routes
from tests.support.api import Answered, Api

JSON = {"Content-Type": "application/json"}


LARGE = b" " * (256 * 1024)


TEXTS: dict[str, tuple[bytes, dict[str, str], set[int]]] = {
    "nothing": (b"", {}, {400}),
    "cut short": (b'{"a": ', {}, {400}),
    "no UTF-8": (b'{"a": "\xff\xfe"}', {}, {400}),
    "a lone surrogate": (b'{"a": "\\ud800"}', {}, {400}),
    "not a number": (b'{"a": NaN}', {}, {400, 422}),
    "endless": (b'{"a": -Infinity}', {}, {400, 422}),
    "deep": (b"[" * 100_000, {}, {400}),
    "deep and closed": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, {}, {400, 422}),
    "a list": (b"[]", {}, {422}),
    "a text": (b'"text"', {}, {422}),
    "null": (b"null", {}, {422}),
    "NUL": (b'{"a": "\\u0000"}', {}, {422}),
    "not declared": (b"{}", {"Content-Type": ""}, {415}),
    "a form": (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, {415}),
    "declared as text": (b"{}", {"Content-Type": "text/plain"}, {415}),
    "too large": (LARGE + b"{}", {}, {413}),
    "too large when unpacked": (gzip.compress(LARGE * 40 + b"{}"), {"Content-Encoding": "gzip"}, {415}),
    "no gzip": (b"{}", {"Content-Encoding": "gzip"}, {415}),
}
"""What is no body for any route: its bytes, headers, and the statuses that may answer it."""


WRONG: tuple[tuple[str, Any], ...] = (
    ("an object", {"a": 1}),
    ("a list in a list", [[1]]),
    ("a large number", 10**30),
    ("a fraction", -1.5),
    ("a long text", "x" * 30_000),
    ("a NUL", "a\0b"),
)
"""Values, most of which are wrong for any field."""


def is_refusal(answer: Answered) -> bool:
    """Whether it is a proper problem of the caller's."""
    return (
        400 <= answer.status < 500
        and answer.headers["Content-Type"].startswith(CONTENT_TYPE)
        and answer.body["status"] == answer.status
        and answer.body["request_id"] == answer.headers["X-Request-Id"]
    )


async def untouched(api: Api) -> list[Any]:
    """What no refused request changes."""
    (ours,) = await api.rows(
        "select (select count(*) from booking_engine.engine_user), (select count(*) from booking_engine.hold),"
        " (select count(*) from booking_engine.endpoint), (select count(*) from booking_engine.replay),"
        " (select count(*) from booking_engine.event_cursor)"
    )
    return [await written(api), ours]


async def test_no_route_takes_what_is_no_body(api: Api) -> None:
    key, before = await everything(api), await untouched(api)
    for route in await routes(api):
        if route.body is Nothing:
            continue
        fitting = call_of(api, route, {})
        for what, (data, headers, statuses) in TEXTS.items():
            sent = {**JSON, **headers}
            answer = await fitting._replace(body=None).make(api, route, key=key, data=data, headers=sent)
            assert answer.status in statuses, (route.name, what, answer.body)
            assert is_refusal(answer), (route.name, what, answer.body)
        twice = orjson.dumps(fitting.body)[:-1] + b"," + orjson.dumps(fitting.body)[1:]
        answer = await fitting.make(api, route, key=key, json=None, data=twice, headers=JSON)
        assert answer.status == 422, (route.name, answer.body)
        assert is_refusal(answer)
    assert await untouched(api) == before


async def test_every_field_of_every_route_is_checked_and_pointed_to(api: Api) -> None:
    key, before = await everything(api), await untouched(api)
    for route in await routes(api):
        _, query, body = fields(route)
        fitting = call_of(api, route, {})
        if route.body is not Nothing:
            answer = await fitting._replace(body={**fitting.body, "surplus": 1}).make(api, route, key=key)
            assert (answer.status, pointers(answer)) == (422, ["/surplus"]), (route.name, answer.body)
        for name in body:
            for what, value in WRONG:
                if fits(route, name, value):
                    continue
                # Not by orjson, whose numbers end where PostgreSQL's begin.
                sent = json.dumps({**fitting.body, name: value}).encode()
                answer = await fitting._replace(body=None).make(api, route, key=key, data=sent, headers=JSON)
                assert is_refusal(answer), (route.name, name, what, answer.body)
                if what != "a NUL":
                    assert any(one.startswith(f"/{name}") for one in pointers(answer)), (route.name, name, what)
        answer = await fitting._replace(query={**fitting.query, "surplus": "1"}).make(api, route, key=key)
        assert (answer.status, pointers(answer)) == (422, ["/surplus"]), (route.name, answer.body)
        for name in query:
            for value in ("\0", "x" * 5_000, "1e400", "９"):
                answer = await fitting._replace(query={**fitting.query, name: value}).make(api, route, key=key)
                assert is_refusal(answer), (route.name, name, value[:9], answer.body)
    assert await untouched(api) == before


async def test_no_path_leads_anywhere_else(api: Api) -> None:
    key, before = await everything(api), await untouched(api)
    for route in await routes(api):
        path, *_ = fields(route)
        for name in path:
            for value in ("%00", "x" * 3_000, "%ff", "..%2f..", "-1", "9" * 30, "%F0%9F%8F%A8", "1;select", "１"):
                given = {**dict(route.params_examples), "hotel_id": HOTEL, name: value}
                wrong = call_of(api, route, {})._replace(path=route.path.format_map(given))
                answer = await wrong.make(api, route, key=key)
                assert is_refusal(answer), (route.name, value[:20], answer.status, answer.body)
    assert await untouched(api) == before


def pointers(answer: Answered) -> list[str]:
    """What a refusal points to."""
    return [one["pointer"] for one in (answer.body or {}).get("errors", ())]


def fits(route: Route, name: str, value: Any) -> bool:
    """Whether a field takes a value."""
    try:
        route.body.model_validate_json(json.dumps({name: value}), strict=True)
    except ValidationError as error:
        return name not in {str(one["loc"][0]) for one in error.errors() if one["loc"]} and "\0" not in str(value)
    return "\0" not in str(value)
