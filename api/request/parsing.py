"""From what was sent to what a handler gets: checked models, or a problem that points to every fault."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from api.request.problems import Fault, Place, Problem

M = TypeVar("M", bound=BaseModel)

BODY_BYTES = 256 * 1024
BODY_SECONDS = 20.0
_MANY_FAULTS = 20
_KEPT_MOST, _KEPT_LENGTH = 4096, 300
_kept: dict[tuple[type[BaseModel], str], BaseModel] = {}
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def params(model: type[M], request: web.Request) -> M:
    """The parameters of the path and the query.

    Raises:
        Problem: one is missing, unknown, given twice, or wrong.
    """
    kept = _kept.get((model, request.raw_path))
    if kept is not None:
        return cast("M", kept)
    path = dict(request.match_info)
    twice = {name for name in request.query if len(request.query.getall(name)) > 1 or name in path}
    given = {**request.query, **path}
    faults = [Fault(f"/{_escaped(name)}", "It is given more than once.", "query") for name in sorted(twice)]
    faults += [
        Fault(f"/{_escaped(name)}", "It holds a NUL character.", _place(name, path))
        for name, value in given.items()
        if "\0" in name + value
    ]
    if faults:
        raise Problem("invalid_request", faults=faults[:_MANY_FAULTS])
    try:
        return _keep(request.raw_path, model.model_validate_strings(given))
    except ValidationError as error:
        raise Problem("invalid_request", faults=list(_faults(error, path))) from None


def _keep(path: str, valid: M) -> M:
    """Keep what was valid: the same is asked over and over, and models are frozen."""
    if len(path) <= _KEPT_LENGTH:
        _kept[type(valid), path] = valid
        if len(_kept) > _KEPT_MOST:
            _kept.pop(next(iter(_kept)))
    return valid


async def body(model: type[M], request: web.Request) -> tuple[M, bytes]:
    """The body, and its bytes.

    Raises:
        Problem: it is not JSON, not declared so, compressed, too large, or a field is missing, unknown or wrong.
    """
    packed = request.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
    if packed or request.content_type != "application/json":
        raise Problem("unsupported_media_type")
    if (request.content_length or 0) > BODY_BYTES:
        raise Problem("body_too_large")
    raw = await _read(request)
    if _NUL.search(raw):
        raise Problem("invalid_request", faults=[Fault("", "A text holds a NUL character.")])
    try:
        valid = model.model_validate_json(raw, strict=True)
        # Only now: what is valid is not nested deeply.
        json.loads(raw, object_pairs_hook=_once_each)
    except ValidationError as error:
        if error.errors(include_input=False, include_url=False)[0]["type"] == "json_invalid":
            raise Problem("broken_json", _words(error)) from None
        raise Problem("invalid_request", faults=list(_faults(error, None))) from None
    return valid, raw


def _once_each(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that holds a name twice: readers differ on which of the two counts.

    Raises:
        Problem: one does.
    """
    if len(dict(pairs)) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = [name for name, times in counted.items() if times > 1]
        faults = [Fault("", f"An object holds `{name}` more than once.") for name in twice[:_MANY_FAULTS]]
        raise Problem("invalid_request", faults=faults)


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise Problem("request_timeout") from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        raise Problem("bad_http") from None


def _faults(error: ValidationError, path: Mapping[str, str] | None) -> Iterable[Fault]:
    """The faults that pydantic found; path: of parameters, None for a body. What was sent is not repeated."""
    for one in error.errors(include_input=False, include_url=False, include_context=False)[:_MANY_FAULTS]:
        place: Place = "body" if path is None else _place(str(one["loc"][0]) if one["loc"] else "", path)
        yield Fault(_pointer(one["loc"]), one["msg"].removeprefix("Value error, "), place)


def _words(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"The body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}."


def _place(name: str, path: Mapping[str, str]) -> Place:
    return "path" if name in path else "query"


def _pointer(location: Sequence[Any]) -> str:
    return "".join(f"/{_escaped(str(step))}" for step in location)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
