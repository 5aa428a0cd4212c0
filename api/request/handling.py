"""One route's request, from the gate to the answer."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from aiohttp import web
from pydantic import BaseModel

from api.access.scopes import Access
from api.context import Context
from api.lookup import AwayError
from api.request import parsing, trace
from api.request.etags import digest
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing, Reply, Route

_NO_ONE = Access(key_id="", source="", scopes=frozenset(), hotels=frozenset())
_LONGEST_KEY = 255


def handler(context: Context, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What aiohttp calls for a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        access = await _enter(context, route, request)
        params = parsing.params(route.params, request)
        await _check_hotel(context, route, access, params, request)
        _check_idempotency(route, request)
        body, raw = (Nothing(), b"") if route.body is Nothing else await parsing.body(route.body, request)
        await _check_hotel(context, route, access, body, request)
        call = Call(
            context=context,
            access=access,
            params=params,
            body=body,
            request_id=trace.of(request).request_id,
            address=trace.of(request).address,
            method=route.method,
            path=request.path,
            raw=raw,
            headers={name.lower(): value for name, value in request.headers.items()},
            request=request,
        )
        reply = await route.handler(call)
        return _answer(request, reply) if isinstance(reply, Reply) else reply

    return handle


async def _enter(context: Context, route: Route, request: web.Request) -> Access:
    if route.scope is None:
        return _NO_ONE
    now = trace.of(request)
    if not now.secure:
        raise Problem("insecure_transport")
    now.access, now.budget = await context.gate.enter(request.headers.get("Authorization"), now.address)
    if not now.access.checked and not route.from_memory:
        raise AwayError("the key cannot be checked")
    if route.scope != "any" and not now.access.may(route.scope):
        raise Problem("insufficient_scope", scope=route.scope)
    if route.scope == "admin" and now.access.user_id is not None:
        raise Problem("insufficient_scope", "A token for one user administrates nothing.", scope="admin")
    return now.access


async def _check_hotel(
    context: Context, route: Route, access: Access, asked: BaseModel, request: web.Request
) -> None:
    """A hotel that is another's and one that does not exist are answered alike."""
    hotel_id = getattr(asked, "hotel_id", None)
    if route.scope is None or not isinstance(hotel_id, int):
        return
    if not access.knows(hotel_id) or not await context.hotels.has(hotel_id):
        raise Problem("unknown_hotel")
    trace.of(request).hotel_id = hotel_id


def _check_idempotency(route: Route, request: web.Request) -> None:
    if not route.writes:
        return
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        faults = [Fault("/Idempotency-Key", "1 to 255 printable ASCII characters.", "header")]
        raise Problem("idempotency_key_missing", faults=faults)


def _answer(request: web.Request, reply: Reply) -> web.Response:
    body = encoded(reply.body)
    response = web.Response(status=reply.status, body=body, headers=reply.headers)
    if body is not None and "Content-Type" not in reply.headers:
        response.content_type = "application/json"
    tag = reply.etag
    if tag is None and request.method in {"GET", "HEAD"} and reply.status == 200:
        tag = digest(body or b"")
    if tag is not None:
        response.headers["ETag"] = f'"{tag}"'
        # Whoever keeps it asks each time whether it still holds.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    if reply.status == 200 and request.method in {"GET", "HEAD"} and tag and _has(request, tag):
        return web.Response(status=304, headers=_kept(response.headers))
    return response


def encoded(body: BaseModel | Mapping[str, object] | bytes | None) -> bytes | None:
    """An answer's body as JSON."""
    if isinstance(body, BaseModel):
        return body.model_dump_json(by_alias=True).encode()
    if body is None or isinstance(body, bytes):
        return body
    return orjson.dumps(body)


def _has(request: web.Request, tag: str) -> bool:
    """Whether If-None-Match names this tag; weakly, as RFC 9110 says."""
    given = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    return f'"{tag}"' in given or "*" in given


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name.lower() not in {"content-type", "content-length"}
    }
