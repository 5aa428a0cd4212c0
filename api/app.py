"""The aiohttp application."""

from aiohttp import web


def make_app() -> web.Application:
    """The application with its routes."""
    app = web.Application()
    app.router.add_get("/livez", livez)
    return app


async def livez(_request: web.Request) -> web.Response:
    """Answer that the event loop turns; says nothing about the database."""
    return web.json_response({"status": "ok"})
