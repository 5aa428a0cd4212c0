"""The aiohttp application."""

from aiohttp import web

from api.operations import Operations, add_routes


def make_app(operations: Operations) -> web.Application:
    """The application with its routes."""
    app = web.Application()
    add_routes(app, operations)
    return app
