"""What an orchestrator and Prometheus ask of a process: is it alive, is it ready, how is it doing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether to count on this process; said: the answer's JSON, with every reason why not."""

    ready: bool
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operations:
    """Where the answers come from. metrics: the exposition and its content type."""

    readiness: Callable[[], Awaitable[Readiness]]
    metrics: Callable[[], Awaitable[tuple[bytes, str]]]


def add_routes(app: web.Application, operations: Operations) -> None:
    """Add `/livez`, `/readyz` and `/metrics`."""

    async def readyz(_request: web.Request) -> web.Response:
        found = await operations.readiness()
        return web.json_response(found.said, status=200 if found.ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        body, content_type = await operations.metrics()
        return web.Response(body=body, headers={"content-type": content_type})

    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


async def livez(_request: web.Request) -> web.Response:
    """Answer that the event loop turns; says nothing about the database."""
    return web.json_response({"status": "ok"})
