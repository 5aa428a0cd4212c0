"""Pieces of the document that many operations share: headers, errors, security."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from api.request.codes import CODES
from api.request.problems import CONTENT_TYPE, Fault, Problem
from api.request.routing import Link, Nothing, Route

_STRING = {"type": "string"}
_REQUEST_ID = "0b9f3f0e-6c1f-4f0e-9d0f-3c1f0a7d2b55"
_HEADERS = {
    "ETag": "Changes with what is said; send it back in If-None-Match, or in If-Match with a change.",
    "RateLimit-Policy": 'How many requests the key may make: `"minute";q=<requests>;w=60`.',
    "RateLimit": 'What is left of them: `"minute";r=<requests>;t=<seconds until all are there again>`.',
    "X-Request-Id": "The request's id: yours, if you sent a plain word of 8 to 64 characters, else a new one.",
    "Retry-After": "Seconds to wait.",
    "Allow": "The methods that this path takes.",
    "WWW-Authenticate": "How to authenticate.",
}
_OF_STATUS = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}
_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "Names this write: a new one for each, the same one when you try it again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "example": "6f1d9b1e-0f0a-4f0c-b2a5-9a8f6f9d2c11",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag of what you change: it is refused where it has changed since.",
        "schema": _STRING,
        "example": '"1795401296123456"',
    },
    "IfMatchIfAny": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of what you change, where it is to be refused if it has changed since.",
        "schema": _STRING,
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of what you have: 304 where it still holds.",
        "schema": _STRING,
    },
}


def components(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The document's components, with these schemas."""
    return {
        "schemas": {**schemas, "Problem": _PROBLEM},
        "headers": {name: {"description": text, "schema": _STRING} for name, text in _HEADERS.items()},
        "parameters": dict(_PARAMETERS),
        "responses": {
            "NotModified": {"description": "What you have still holds.", "headers": _given("ETag", "X-Request-Id")}
        },
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key (`rw_…`), or a token made from one by `POST /auth/token`.",
            }
        },
    }


def security(route: Route) -> list[dict[str, list[str]]]:
    """What a call has to bring."""
    return [] if route.scope is None else [{"bearer": []}]


def needs(route: Route) -> str:
    """In words, what the key needs."""
    return {None: "", "any": "Every valid key will do."}.get(route.scope, f"Needs the scope `{route.scope}`.")


def headers_asked(route: Route) -> list[dict[str, str]]:
    """Headers that a call may or must have."""
    names = []
    if route.writes:
        names.append("IdempotencyKey")
    if route.if_match != "no":
        names.append("IfMatch" if route.if_match == "must" else "IfMatchIfAny")
    if route.method == "GET":
        names.append("IfNoneMatch")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def headers_given(route: Route) -> dict[str, Any]:
    """Headers of a good answer."""
    limited = () if route.scope is None else ("RateLimit", "RateLimit-Policy")
    return _given(*(("ETag",) if route.method == "GET" else ()), "X-Request-Id", *limited)


def codes(route: Route) -> list[str]:
    """Every error that a route answers with, by status."""
    found = {"internal_error", *route.problems}
    if route.scope is not None:
        found |= {
            "unauthorized",
            "insecure_transport",
            "address_not_allowed",
            "insufficient_scope",
            "rate_limited",
            "unavailable",
        }
    if route.params is not Nothing or route.body is not Nothing:
        found.add("invalid_request")
    if route.body is not Nothing:
        found |= {"bad_http", "broken_json", "request_timeout", "unsupported_media_type", "body_too_large"}
    if "hotel_id" in route.params.model_fields or "hotel_id" in route.body.model_fields:
        found.add("unknown_hotel")
    if route.writes:
        found |= {"idempotency_key_missing", "idempotency_key_reused", "answer_withheld", "in_progress"}
    return sorted(found, key=lambda code: (CODES[code].status, code))


def problems(route: Route) -> dict[str, Any]:
    """The errors of a route, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes(route):
        by_status[CODES[code].status].append(code)
    return {str(status): _refusal(status, found) for status, found in by_status.items()}


def link(one: Link) -> dict[str, Any]:
    """What can be called next."""
    said: dict[str, Any] = {"operationId": one.operation, "description": one.description}
    if one.parameters:
        said["parameters"] = dict(one.parameters)
    if one.body is not None:
        said["requestBody"] = one.body
    return said


def _refusal(status: int, found: Sequence[str]) -> dict[str, Any]:
    examples = {code: {"summary": CODES[code].title, "value": _example(code)} for code in found}
    return {
        "description": "\n".join(f"- `{code}`: {CODES[code].meaning}" for code in found),
        "headers": _given("X-Request-Id", *_OF_STATUS.get(status, ())),
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def _example(code: str) -> dict[str, Any]:
    faults = [Fault("/check_in", "Input should be a valid date")] if code == "invalid_request" else []
    return Problem(code, faults=faults).body(_REQUEST_ID)


def _given(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error (RFC 9457). Some codes add further members.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Address of the page that explains the code."},
        "title": {"type": "string", "description": "The code in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "code": {"type": "string", "enum": list(CODES), "description": "What your program looks at."},
        "detail": {"type": "string", "description": "What happened to this very request."},
        "request_id": {"type": "string", "description": "To be named when you ask the operator."},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "detail"],
                "properties": {
                    "in": {
                        "type": "string",
                        "enum": ["body", "query", "path", "header"],
                        "description": "Which part of the request.",
                    },
                    "pointer": {"type": "string", "description": "RFC 6901, within that part of the request."},
                    "detail": {"type": "string", "description": "What is wrong with it."},
                },
            },
        },
    },
}
