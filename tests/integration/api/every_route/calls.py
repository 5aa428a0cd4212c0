"""Every route that the running application's document names, and a request that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from api.access.scopes import SCOPES
from api.app import ROUTES
from api.request.routing import Nothing, Route
from tests.integration.api.bookings.stays import HOTEL
from tests.support.api import Answered, Api

OTHER = 2


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


async def everything(api: Api) -> str:
    """A key that may do everything, as often as it likes."""
    return await api.key(client="everything", scopes=SCOPES)
