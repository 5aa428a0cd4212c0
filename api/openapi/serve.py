"""Serving the document and its pages, to everybody."""

from collections.abc import Sequence
from hashlib import blake2b

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from api.openapi.document import document
from api.openapi.errors import explain
from api.openapi.html import POLICY
from api.openapi.page import render
from api.request.codes import CODES
from api.request.problems import Problem
from api.request.routing import Route

_KEEP = "public, max-age=300"


def pages(routes: Sequence[Route]) -> dict[str, Handler]:
    """Who answers for `/openapi.json`, `/docs` and the page of every error, by path."""
    described = document(routes)
    return {
        "/openapi.json": _fixed(orjson.dumps(described), "application/json"),
        "/docs": _fixed(render(described), "text/html"),
        "/problems/{code}": _problem,
    }


def _fixed(body: bytes, content_type: str) -> Handler:
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag, "Cache-Control": _KEEP})
        return _page(body, content_type, {"ETag": tag})

    return handle


async def _problem(request: web.Request) -> web.StreamResponse:
    code = request.match_info["code"]
    if code not in CODES:
        raise Problem("not_found", "There is no such error code; docs/ERRORS.md lists them all.")
    return _page(explain(code), "text/html", {})


def _page(body: bytes, content_type: str, headers: dict[str, str]) -> web.Response:
    sent = {"Cache-Control": _KEEP, **headers}
    if content_type == "text/html":
        sent["Content-Security-Policy"] = POLICY
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=sent)
