"""The answer that is stored with a write, and what is made of it when the same is asked for again: pure."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import orjson

from api.request.handling import encoded
from api.request.problems import Fault, Problem
from api.request.routing import Call, Reply
from api.writes.rights import lacking, of_answer
from sql.idempotency import Answer, Request

_SAID_ANYWAY: Final = {"type", "title", "status", "code", "detail", "errors"}


def fingerprint(call: Call[Any, Any]) -> bytes:
    """Digest of method, path, If-Match and content; the same however the JSON is laid out, and whoever asks."""
    content = orjson.dumps(orjson.loads(call.raw), option=orjson.OPT_SORT_KEYS) if call.raw else b""
    precondition = call.headers.get("if-match", "").strip().encode(errors="surrogatepass")
    return sha256(b"\0".join((call.method.encode(), call.path.encode(), precondition, content))).digest()


def refused(request: Request, problem: Problem) -> Answer:
    """What is stored of a refusal."""
    return stored(request, Reply(problem.body(), problem.status, problem.headers))


def stored(request: Request, reply: Reply) -> Answer:
    """What is stored of an answer, with the rights that it takes to be read."""
    headers = dict(reply.headers) | ({"ETag": reply.etag} if reply.etag else {})
    seen = of_answer(request.rights, reply.body) if reply.status < 400 else request.rights
    return Answer(request.fingerprint, seen, reply.status, headers, encoded(reply.body) or b"")


def repeated(request: Request, known: Answer) -> Reply | Problem:
    """The answer again, marked as such; a refusal if it is another request's, or shows what is not to be seen.

    What was refused, perhaps for want of a right, is another request with other rights: a new key does no harm.
    """
    refused_others = known.status >= 400 and known.rights != request.rights
    if known.fingerprint != request.fingerprint or refused_others:
        return Problem("idempotency_key_reused")
    if missing := lacking(request.rights, known.rights):
        return Problem("answer_withheld", missing=missing)
    headers = {**known.headers, "Idempotent-Replayed": "true"}
    if known.status >= 400:
        return _problem(orjson.loads(known.body), headers)
    etag = headers.pop("ETag", None)
    return Reply(known.body or None, known.status, headers, etag)


def _problem(said: Mapping[str, Any], headers: Mapping[str, str]) -> Problem:
    faults = [Fault(one["pointer"], one["detail"], one["in"]) for one in said.get("errors", ())]
    extras = {name: value for name, value in said.items() if name not in _SAID_ANYWAY}
    return Problem(said["code"], said["detail"], faults=faults, headers=headers, **extras)
