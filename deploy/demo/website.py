"""The demo's HTTP server: the webhook's address, the page, its live news, and the front desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import orjson
import psycopg
from aiohttp import web
from standardwebhooks import WebhookVerificationError

from deploy.demo.engine.receiving import Engine
from deploy.demo.front_desk import FrontDesk, NoRoomError, Wish

HOST = "127.0.0.1"
WEBHOOK = "/webhooks"
LARGEST = 4 * 1024 * 1024
"""Bytes of the largest message that is accepted."""
PATIENCE = 10.0
"""Seconds that a visitor waits for a booking to arrive."""
PAGE = Path(__file__).parent / "page"
# The page loads nothing from elsewhere, and no other site may use it.
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


@dataclass(slots=True)
class Website:
    """What the routes share; the desk opens once the PMS is there.

    Attributes:
        port: The port it listens on.
    """

    engine: Engine
    desk: FrontDesk | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.port}/"

    @property
    def webhook(self) -> str:
        """Where messages go."""
        return f"http://{HOST}:{self.port}{WEBHOOK}"

    async def receive(self, request: web.Request) -> web.Response:
        """Take in a message; 401 tells Roomwire that its signature is wrong."""
        body = await request.read()
        try:
            self.engine.receive(body, {name.lower(): value for name, value in request.headers.items()})
        except WebhookVerificationError as error:
            return web.Response(status=401, text=str(error))
        return web.Response(status=204)

    async def index(self, _request: web.Request) -> web.FileResponse:
        """The page."""
        return web.FileResponse(PAGE / "index.html")

    async def state(self, _request: web.Request) -> web.Response:
        """Everything that the page shows, as JSON."""
        return web.Response(body=orjson.dumps(self.engine.state()), content_type="application/json")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The state and then all news, as Server-Sent Events."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            async for said in self.engine.audience.listen():
                await response.write(b"data: " + said + b"\n\n")
        return response

    async def book(self, request: web.Request) -> web.Response:
        """Book a room at the front desk, and wait until a webhook says so."""
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="The wish is JSON.")
        try:
            told, status = await self._booked(await request.json()), 200
        except JSONDecodeError as error:
            told, status = {"error": f"The wish is no JSON: {error}"}, 400
        except NoRoomError as error:
            told, status = {"error": str(error)}, 409
        except psycopg.Error as error:
            told, status = {"error": f"The PMS's database refuses: {' '.join(str(error).split())}"}, 503
        except TimeoutError:
            told, status = {"error": f"The room is booked, but no webhook came within {PATIENCE:g} s."}, 504
        return web.Response(body=orjson.dumps(told), status=status, content_type="application/json")

    async def _booked(self, said: object) -> dict[str, Any]:
        """The line of the first message on a booking made now; it is given its price afterwards, as staff do."""
        wish = Wish.read(said)
        if self.desk is None or not self.engine.in_step.is_set():
            raise NoRoomError("The front desk opens when the first sync is done.")
        booking = await self.desk.hold(wish)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.engine.arrival(booking)
        finally:
            await self.desk.confirm(wish, booking)


@asynccontextmanager
async def serving(site: Website, port: int) -> AsyncIterator[None]:
    """Serve until the block ends; takes a free port where the wanted one is taken, and says so."""
    app = web.Application(client_max_size=LARGEST, middlewares=[_same_site])
    app.router.add_post(WEBHOOK, site.receive)
    app.router.add_get("/", site.index)
    app.router.add_get("/state", site.state)
    app.router.add_get("/events", site.events)
    app.router.add_post("/front-desk", site.book)
    app.router.add_static("/page/", PAGE)
    app.on_response_prepare.append(_secure)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    figures = asyncio.create_task(site.engine.keep_figures())
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError:
            await web.TCPSite(runner, HOST, 0).start()
            print(f"  Port {port} is taken; a free one is used instead.", flush=True)
        site.port = runner.addresses[0][1]
        yield
    finally:
        figures.cancel()
        site.engine.audience.close()
        await runner.cleanup()


@web.middleware
async def _same_site(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Keep other sites' pages, which can reach this machine's ports too, from reading and booking."""
    origin = request.headers.get("origin")
    local = {f"{name}:{request.url.port}" for name in (HOST, "localhost")}
    if request.host not in local or (origin is not None and origin.removeprefix("http://") not in local):
        raise web.HTTPForbidden(text="Only the demo's own page may ask this.")
    return await handler(request)


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
