"""aiohttp's server, whose own errors are answered as problems too, naming no software and quoting nobody.

Broken HTTP never reaches the application: aiohttp would answer it, and log it, with a quotation of what came, which
may be a key.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_log import AccessLogger

from api.metrics import answered
from api.request.middleware import HEADERS, refused, where
from api.request.problems import Problem

log = structlog.get_logger()
_THEIRS = (HttpProcessingError, web.RequestPayloadError)
_DRAIN = 8.0
"""Seconds that requests in flight are given at the end."""
Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Runner(web.AppRunner):
    """Runs the application.

    Nothing that comes compressed is unpacked, which might be a thousand times as large: it is refused as it is.
    """

    def __init__(self, app: web.Application) -> None:
        super().__init__(
            app, access_log=None, access_log_class=AccessLogger, shutdown_timeout=_DRAIN, auto_decompress=False
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(_expecting(made.request_handler), request_factory=made.request_factory, **self._kwargs)


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - its base's; it quotes what came
    ) -> web.StreamResponse:
        """Answer what the application could not."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        if status >= 500:
            self.log_exception(exc_info=exc)
        return _said(Problem("internal_error" if status >= 500 else "bad_http"))

    def log_exception(self, *_: Any, exc_info: Any = None, **_kw: Any) -> None:
        """Log what went wrong outside the application, without what it said; what was no HTTP is not logged."""
        if isinstance(exc_info, BaseException) and not isinstance(exc_info, _THEIRS):
            log.error("api_error", error=type(exc_info).__name__, request_id=None, where=where(exc_info))


def _expecting(answer: Answering) -> Answering:
    """Answer an unknown `Expect`, which aiohttp refuses before any middleware, as a problem too."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await answer(request)
        except web.HTTPException:
            return _said(Problem("bad_http"))

    return handle


def _said(problem: Problem) -> web.Response:
    answered("other", "other", problem.status, 0.0)
    response = refused(problem, None)
    response.headers.update({**HEADERS, "Server": "roomwire"})
    response.force_close()
    return response
