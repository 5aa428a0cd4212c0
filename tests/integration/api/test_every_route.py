"""What holds at every door, tried at each one that the running application's document names."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from ipaddress import ip_network
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
import pytest
import structlog
from pydantic import ValidationError

from api.access.scopes import SCOPES
from api.app import ROUTES
from api.context import Context, Options
from api.request.problems import CONTENT_TYPE
from api.request.routing import Nothing, Route
from tests.integration.api.bookings.stays import HOTEL, asked, book, written
from tests.support.api import Answered, Api, running_api, template_with_documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database

OTHER = 2


@pytest.fixture
def in_step(pg18: Server) -> Iterator[Database]:
    """One PostgreSQL: what holds at the door does not depend on it."""
    with fresh_database(pg18, template_with_documents(pg18)) as database:
        yield database


@pytest.fixture
async def api(in_step: Database) -> AsyncIterator[Api]:
    """The API, whose feed nobody waits for; endpoints may be on this machine."""
    async with running_api(in_step, options=Options(allowed=(ip_network("127.0.0.0/8"),))) as api:
        await api.context.heads.close()
        yield api


class Call(NamedTuple):
    """A request that fits a route."""

    path: str
    query: dict[str, Any]
    body: Any

    async def make(self, api: Api, route: Route, **more: Any) -> Answered:
        """Send it, as a write that wants no special version."""
        given: dict[str, Any] = {"json": self.body, "headers": {"If-Match": "*", **more.pop("headers", {})}} | more
        return await api.call(route.method, self.path, **given, **self.query)


def fields(route: Route) -> tuple[set[str], set[str], set[str]]:
    """The names of a route's path parameters, query parameters and top fields of its body."""
    params = {field.alias or name for name, field in route.params.model_fields.items()}
    path = {name for name in params if "{" + name + "}" in route.path}
    return path, params - path, set(route.body.model_fields)


def call_of(api: Api, route: Route, values: Mapping[str, Any]) -> Call:
    """A route's example, with these values wherever it has a field of that name."""
    path, query, body = fields(route)
    days = {"from": api.day(200), "to": api.day(202)} if {"from", "to"} <= query else {}
    example: dict[str, Any] = {**days, **{name: values[name] for name in query if name in values}}
    given = dict(route.params_examples) | {"hotel_id": HOTEL} | dict(values)
    sent = None
    if route.body is not Nothing:
        stay = {"check_in": str(api.day(200)), "check_out": str(api.day(202))}
        known = {name: value for name, value in (stay | dict(values)).items() if name in body}
        sent = {**(route.body_example or {}), **known}
    return Call(route.path.format_map({name: str(given[name]) for name in path}), example, sent)


async def routes(api: Api) -> list[Route]:
    """The routes that the running application's document names; all of them are known here."""
    document = (await api.get("/openapi.json", key=None)).body
    named = {said["operationId"] for item in document["paths"].values() for said in item.values()}
    assert named == {route.name for route in ROUTES}
    return list(ROUTES)


def same(one: Answered, other: Answered) -> bool:
    """Whether two answers say the same, but for the request's id."""
    return one.status == other.status and {**one.body, "request_id": ""} == {**other.body, "request_id": ""}


# -- another hotel

OF_CLIENTS = {"user_id", "cursor"}
"""What belongs to the client, whatever its keys' hotels."""


async def theirs(api: Api) -> dict[str, Any]:
    """Something of the other hotel for each name under which a route asks for something of a hotel."""
    kind = await api.value("select min(id) from room_types where hotel_id = %s", OTHER)
    stay = asked(api, kind, hotel_id=OTHER) | {
        "rooms": [{"room_type_id": kind, "plan_key": "2h", "number_of_people": 1}]
    }
    made = await book(api, stay)
    assert made.status == 201, made.body
    hold = {name: stay[name] for name in ("hotel_id", "check_in", "check_out")}
    held = await api.post("/holds", hold | {"rooms": [{"room_type_id": kind, "number_of_people": 1}]})
    office = await api.key(client="office", scopes=SCOPES)
    wishes = {"hotels": [OTHER], "types": None, "bookings": "all", "guest_data": False, "max_bytes": 20_000}
    wishes |= {"concurrency": 8, "heartbeat_seconds": 0, "name": "theirs", "url": "http://127.0.0.1:9/"}
    added = await api.post("/endpoints", wishes, key=office)
    assert added.status == 201, added.body
    await api.desk.execute("update booking_engine.endpoint set fill_version = null")
    replay = await api.post("/replays", {"endpoint": "theirs"}, key=office)
    assert replay.status == 202, replay.body
    return {
        "hotel_id": OTHER,
        "hotels": [OTHER],
        "booking_id": made.body["booking_id"],
        "client_id": made.body["guest"]["client_id"],
        "hold_id": held.body["hold_id"],
        "name": "theirs",
        "endpoint": "theirs",
        "key": f"hotel:{OTHER}",
        "keys": [f"hotel:{OTHER}"],
        "replay_id": replay.body["replay_id"],
    }


def nobodys() -> dict[str, Any]:
    """The same of no hotel at all."""
    return {
        "hotel_id": 99,
        "hotels": [99],
        **{name: str(uuid4()) for name in ("booking_id", "client_id", "hold_id")},
        "name": "none",
        "endpoint": "none",
        "key": "hotel:99",
        "keys": ["hotel:99"],
        "replay_id": 999_999,
    }


NAMED_BY_OTHERS = {"addEndpoint": {"name"}, "linkUser": set[str]()}
"""Routes whose field of such a name names nothing that is there already."""


async def test_whatever_is_another_hotel_s_is_not_there_for_any_route(api: Api) -> None:
    foreign, absent = await theirs(api), nobodys()
    bound = await api.key(hotels=[HOTEL], scopes=SCOPES)
    office = await api.key(client="office", hotels=[HOTEL], scopes=SCOPES)
    before = await written(api)
    silent = set()
    for route in await routes(api):
        path, query, body = fields(route)
        assert path <= foreign.keys() | OF_CLIENTS, f"{route.name} asks for what is not known here"
        asked_for = ((path | query | body) & foreign.keys()) - NAMED_BY_OTHERS.get(route.name, set())
        if not asked_for:
            silent.add(route.name)
            continue
        # Things of administration are the client's who administrates, all others that of who books.
        for key in (bound, office):
            there = await call_of(api, route, {name: foreign[name] for name in asked_for}).make(api, route, key=key)
            nowhere = await call_of(api, route, {name: absent[name] for name in asked_for}).make(
                api, route, key=key
            )
            assert there.status == 404, (route.name, there.body)
            assert same(there, nowhere), (route.name, there.body, nowhere.body)
    assert await written(api) == before
    assert silent == {
        "listHotels", "validateToken", "listBookings", "listEndpoints", "listReplays", "listCursors", "readUser",
        "ackEvents", "removeCursor",
    }  # fmt: skip
    marks = [str(foreign[name]) for name in ("booking_id", "client_id", "hold_id")] + [
        "theirs",
        f'"hotel_id":{OTHER},',
    ]
    for name in (
        "listHotels",
        "listBookings",
        "listEndpoints",
        "listReplays",
        "readEvents",
        "readSnapshot",
        "listDeliveries",
    ):
        route = next(one for one in ROUTES if one.name == name)
        for key in (bound, office):
            answer = await call_of(api, route, {}).make(api, route, key=key)
            assert answer.status == 200, answer.body
            assert not [mark for mark in marks if mark in answer.raw.decode()], name


# -- bad input

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
    "too large when unpacked": (gzip.compress(LARGE * 40 + b"{}"), {"Content-Encoding": "gzip"}, {413}),
    "no gzip": (b"{}", {"Content-Encoding": "gzip"}, {400}),
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


async def everything(api: Api) -> str:
    """A key that may do everything, as often as it likes."""
    return await api.key(client="everything", scopes=SCOPES)


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


# -- what is secret

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
