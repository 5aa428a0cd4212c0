"""The aiohttp application: every route behind one gate."""

from collections.abc import Sequence
from functools import cache
from itertools import chain

from aiohttp import web
from aiohttp.typedefs import Handler

from api import content, users
from api.access import routes as access
from api.availability import routes as availability
from api.bookings import routes as bookings
from api.context import Context
from api.control import routes as control
from api.events import routes as events
from api.openapi import serve as openapi
from api.operations import Operations, add_routes
from api.prices import routes as prices
from api.quotes import routes as quotes
from api.request.handling import handler
from api.request.middleware import on_prepare, surround
from api.request.parsing import BODY_BYTES
from api.request.problems import BASE
from api.request.routing import Route

ROUTES: Sequence[Route] = tuple(
    chain(
        access.ROUTES,
        users.ROUTES,
        content.ROUTES,
        availability.ROUTES,
        prices.ROUTES,
        quotes.ROUTES,
        bookings.ROUTES,
        events.ROUTES,
        control.ROUTES,
    )
)
"""Every operation, in the order of the document."""


def make_app(operations: Operations, context: Context | None = None) -> web.Application:
    """The application with its routes. context: None where the API is closed: only operations are answered then."""
    app = web.Application(middlewares=[surround(context)], client_max_size=BODY_BYTES)
    app.on_response_prepare.append(on_prepare)
    add_routes(app, operations)
    if context is not None:
        app.on_shutdown.append(context.heads.close)
        for path, answer in pages().items():
            app.router.add_get(BASE + path, answer)
        for route in ROUTES:
            handle = handler(context, route)
            app.router.add_route(route.method, BASE + route.path, handle)
            if route.method == "GET":
                app.router.add_route("HEAD", BASE + route.path, handle)
    return app


@cache
def pages() -> dict[str, Handler]:
    """The pages about `ROUTES`; writing them takes a fifth of a second, so it is done once."""
    return openapi.pages(ROUTES)
