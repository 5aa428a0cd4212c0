"""What is known of one request on its way, for its answer, the audit log and the metrics."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from aiohttp import web

from api.access.addresses import Network, caller, is_in
from api.access.rates import Budget
from api.access.scopes import Access

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_KEY: web.RequestKey["Trace"] = web.RequestKey("trace", object)  # type: ignore[arg-type]


@dataclass(slots=True)
class Trace:
    """One request.

    route: its template; secure: unless a trusted proxy says that it came by plain HTTP; code: of the error that it
    ended with; audited: whether a write is put into the audit log; the rest once it is known.
    """

    request_id: str
    address: str | None
    route: str
    method: str
    path: str
    secure: bool
    began: float = field(default_factory=time.perf_counter)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    access: Access | None = None
    budget: Budget | None = None
    hotel_id: int | None = None
    code: str | None = None
    audited: bool = True


def begin(request: web.Request, proxies: tuple[Network, ...]) -> Trace:
    """Begin to trace a request. Its X-Request-Id is kept where it is a plain word."""
    given = request.headers.get("X-Request-Id", "")
    resource = request.match_info.route.resource
    trace = Trace(
        request_id=given if _ID.fullmatch(given) else str(uuid4()),
        address=caller(request.remote, request.headers.getall("X-Forwarded-For", []), proxies),
        route=resource.canonical if resource is not None else "other",
        method=request.method,
        path=request.path,
        secure=not (
            request.headers.get("X-Forwarded-Proto", "").lower() == "http" and is_in(request.remote, proxies)
        ),
    )
    request[_KEY] = trace
    return trace


def of(request: web.Request) -> Trace:
    """The trace that was begun for this request."""
    return request[_KEY]


def found(request: web.Request) -> Trace | None:
    """The trace, if one was begun."""
    return request.get(_KEY)
