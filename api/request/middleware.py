"""Around every request: its id, its errors as problems, its headers, its line in the audit log, its metrics."""

import time
import traceback

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from api.context import Context
from api.lookup import AWAY
from api.metrics import answered
from api.request import trace
from api.request.problems import BASE, CONTENT_TYPE, Problem
from api.request.trace import Trace
from sql.access import Audited

log = structlog.get_logger()

_OF_HTTP = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_UNREAD = {"bad_http", "body_too_large", "request_timeout"}
"""What is answered while there is more to read, or nothing that could be read."""
_REFUSALS = {"unauthorized", "insecure_transport", "address_not_allowed", "insufficient_scope"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def surround(context: Context | None) -> Middleware:
    """The middleware. Without a context it only turns errors into problems."""
    proxies = context.options.proxies if context else ()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        now = trace.begin(request, proxies)
        try:
            response = await handler(request)
        except Problem as problem:
            response = _said(problem, now)
        except web.HTTPException as error:
            response = _of_http(error, now)
        except AWAY as error:
            log.warning("api_unavailable", error=type(error).__name__, request_id=now.request_id, route=now.route)
            response = _said(Problem("unavailable", headers={"Retry-After": "2"}), now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log.error("api_error", error=type(error).__name__, request_id=now.request_id, where=where(error))
            response = _said(Problem("internal_error"), now)
        _finish(response, now, context)
        return response

    return middleware


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer the headers that keep browsers safe, and none that names our software."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.popall("Server", None)
    now = trace.found(request)
    if now is None:  # it was answered before any middleware
        return
    response.headers["X-Request-Id"] = now.request_id
    if now.budget is not None:
        response.headers.update(now.budget.headers())


def _finish(response: web.StreamResponse, now: Trace, context: Context | None) -> None:
    if not now.route.startswith(BASE) and now.route != "other":
        return
    took = time.perf_counter() - now.began
    answered(now.route, now.method, response.status, took)
    writes = now.method not in {"GET", "HEAD"} and now.route != "other" and now.audited
    if context is not None and (now.code in _REFUSALS or (writes and now.code != "rate_limited")):
        context.journal.add(_audited(now, response.status, took))


def _audited(now: Trace, status: int, took: float) -> Audited:
    access = now.access
    return Audited(
        at=now.at,
        request_id=now.request_id,
        source=access.source if access else None,
        key_id=access.key_id if access else None,
        user_id=access.user_id if access else None,
        address=now.address,
        method=now.method,
        path=now.path[:500].replace("\0", "�"),
        hotel_id=now.hotel_id,
        status=status,
        code=now.code,
        took_ms=round(took * 1000),
    )


def _said(problem: Problem, now: Trace) -> web.Response:
    now.code = problem.code
    response = refused(problem, now.request_id)
    if problem.code in _UNREAD:
        # The connection ends with it: said so that nobody sends his next request over it.
        response.force_close()
    return response


def refused(problem: Problem, request_id: str | None) -> web.Response:
    """A problem as an answer."""
    body = orjson.dumps(problem.body(request_id))
    return web.Response(status=problem.status, body=body, content_type=CONTENT_TYPE, headers=problem.headers)


def _of_http(error: web.HTTPException, now: Trace) -> web.Response:
    code = _OF_HTTP.get(error.status, "internal_error" if error.status >= 500 else "invalid_request")
    allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return _said(Problem(code, headers=allowed), now)


def where(error: BaseException) -> str:
    """Where it happened: the innermost frames. What the error says is left out, for it may quote a guest."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[::-1])
