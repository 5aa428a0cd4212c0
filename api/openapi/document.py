"""The OpenAPI 3.1 document, built from the routes, the models and the messages."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.openapi import parts
from api.openapi.webhooks import MODELS, webhooks
from api.request.problems import BASE
from api.request.routing import Nothing, Route

_REF = "#/components/schemas/{model}"
_TITLE = "Roomwire: the booking engine's API"
_DESCRIPTION = """\
Availability, prices and bookings of hotels, as their property management system (PMS) has them.

- Dates are the hotel's local ones, stays end with the day of departure, money is in whole yen with tax.
- Every answer about availability or price says `as_of` when it is and whether it is `stale`.
- Every error is `application/problem+json` with a `code`; its `type` is the address of a page that explains it.
- A booking, and every change to it, needs an `Idempotency-Key`: sent again with the same key, it is done once.
- What changes is also sent to you: see the webhooks.
"""
_TAGS = {
    "Access": "Tokens, and who your users are in the PMS.",
    "Content": "Hotels, room types and plans.",
    "Availability": "What is left.",
    "Prices": "What it costs.",
    "Bookings": "Made once, in a room that was free.",
    "Events": "What has changed, to be pulled or followed.",
    "Operations": "Endpoints and deliveries, for administrators.",
}

Mode = Literal["validation", "serialization"]
Schemas = Mapping[Any, dict[str, Any]]
"""(model, mode) → its schema, mostly a reference."""


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document, as JSON."""
    found, components = models_json_schema(_models(routes), ref_template=_REF)
    schemas = components.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, found, schemas)
    for model in {route.params for route in routes}:
        schemas.pop(found[model, "validation"].get("$ref", "").rsplit("/", 1)[-1], None)
    tags = dict.fromkeys(route.tag for route in routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _TITLE,
            "version": version("roomwire"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE, "description": "This server."}],
        "tags": [{"name": tag, "description": _TAGS[tag]} for tag in tags],
        "paths": paths,
        "webhooks": webhooks(found),
        "components": parts.components(schemas),
    }


def operation(route: Route, found: Schemas, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """One operation."""
    said: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": "\n\n".join(filter(None, [route.description, parts.needs(route)])),
        "security": parts.security(route),
        "parameters": [*_parameters(route, found, schemas), *parts.headers_asked(route)],
        "responses": {**_answers(route, found), **parts.problems(route)},
    }
    if route.body is not Nothing:
        content: dict[str, Any] = {"schema": found[route.body, "validation"]}
        if route.body_example is not None:
            content["example"] = route.body_example
        said["requestBody"] = {"required": True, "content": {"application/json": content}}
    return said


def _models(routes: Sequence[Route]) -> list[tuple[type[BaseModel], Mode]]:
    """Every model once, with what it is used for."""
    models: dict[tuple[type[BaseModel], Mode], None] = {}
    for route in routes:
        models[route.params, "validation"] = None
        if route.body is not Nothing:
            models[route.body, "validation"] = None
        for answer in route.returns.values():
            if answer.model is not None:
                models[answer.model, "serialization"] = None
    for model in MODELS:
        models[model, "serialization"] = None
    return list(models)


def _parameters(route: Route, found: Schemas, schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The path's parameters, then the query's."""
    schema = _resolved(found[route.params, "validation"], schemas)
    for name, field in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in route.path
        said = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key not in {"description", "title"}},
        }
        example = route.params_examples.get(name, 7 if name == "hotel_id" else None)
        if example is not None:
            said["example"] = example
        yield said


def _answers(route: Route, found: Schemas) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for status, answer in route.returns.items():
        headers = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
        response: dict[str, Any] = {
            "description": answer.description,
            "headers": headers | parts.headers_given(route),
        }
        if answer.model is not None:
            content: dict[str, Any] = {"schema": found[answer.model, "serialization"]}
            if answer.example is not None:
                content["example"] = answer.example
            response["content"] = {answer.content_type: content}
        links = route.links.get(status, {})
        if links:
            response["links"] = {name: parts.link(link) for name, link in links.items()}
        said[str(status)] = response
    if route.method == "GET" and 200 in route.returns:
        said["304"] = {"$ref": "#/components/responses/NotModified"}
    return said


def _resolved(schema: dict[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        found: Mapping[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[1]]
        return found
    return schema
