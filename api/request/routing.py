"""What a route is, and what its handler gets and gives: the shape that every part of the API has."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from api.access.scopes import Access, Scope
from api.context import Context

Method = Literal["GET", "POST", "PUT", "DELETE"]


class Asked(BaseModel):
    """Base of all that callers send: no field beyond those named, and no type but the right one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """Base of all that is answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Asked):
    """No parameters, or no body."""


P = TypeVar("P", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call(Generic[P, B]):
    """One request, checked: its key is valid and has the scope, its hotel is known to it, its fields are right.

    Attributes:
        context: what every handler works with.
        access: who asks.
        params: the path's and the query's parameters.
        body: the body; `Nothing` where the route takes none.
        request_id: said in the answer and in every log line.
        address: of who calls.
        method, path: of the request, the path without the query.
        raw: the body's bytes.
        headers: names in lower case: if-match, idempotency-key, ….
        request: aiohttp's, for a handler that streams.
    """

    context: Context
    access: Access
    params: P
    body: B
    request_id: str
    address: str | None
    method: str
    path: str
    raw: bytes
    headers: Mapping[str, str]
    request: web.Request

    @property
    def idempotency_key(self) -> str:
        """The header Idempotency-Key; routes with `writes` always have one."""
        return self.headers.get("idempotency-key", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    body: a model or a mapping, or bytes that are JSON already; None without any; etag: without quotes; a GET that
    gives none gets the digest of its body.
    """

    body: BaseModel | Mapping[str, Any] | bytes | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Returns:
    """One answer of a route, as documented. example: a body; headers: name → description."""

    description: str
    model: type[BaseModel] | None = None
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Link:
    """What can be called next with something of an answer: parameters → runtime expressions of OpenAPI."""

    operation: str
    description: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


Handler = Callable[[Call[Any, Any]], Awaitable[Reply | web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API.

    Attributes:
        path: below `/api/booking-engine`, with `{name}` for parameters.
        name: operationId, in camelCase.
        scope: what the key needs; None where no key is asked for, "any" where every key will do.
        params: fields that the path names are path parameters, the others query parameters. A field `hotel_id`,
            here or in the body, is checked: a hotel that is not there or not the key's is a 404.
        returns: status → answer, the successful ones.
        problems: codes that this route answers with beyond those that every route has.
        writes: needs an Idempotency-Key.
        from_memory: can be answered without the database, so a key that cannot be checked now will do; a handler
            that does need the database looks at `Access.checked`.
        if_match: whether a call may or must have the header If-Match; the handler looks at it.
        links: status → name → what to call next.
    """

    method: Method
    path: str
    handler: Handler
    name: str
    tag: str
    summary: str
    returns: Mapping[int, Returns]
    description: str = ""
    scope: Scope | Literal["any"] | None = "read"
    params: type[BaseModel] = Nothing
    body: type[BaseModel] = Nothing
    body_example: Any = None
    params_examples: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()
    writes: bool = False
    from_memory: bool = False
    if_match: Literal["no", "may", "must"] = "no"
    links: Mapping[int, Mapping[str, Link]] = field(default_factory=dict)
