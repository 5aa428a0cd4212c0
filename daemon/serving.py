"""The HTTP server of a process, and what it answers from."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.app import make_app
from api.operations import Operations, Readiness
from daemon.exposition import Exposition
from daemon.observation import Observer
from daemon.progress import Progress
from daemon.readiness import Seen, judge
from daemon.settings import Settings
from sql.pool import Pool, make_pool

log = structlog.get_logger()


@asynccontextmanager
async def serving(
    settings: Settings, parts: Collection[str], progress: Progress | None, pools: Collection[Pool]
) -> AsyncIterator[None]:
    """Serve until the block ends. progress: None where this process does not capture.

    Raises:
        OSError: the address is not to be had.
    """
    dsn = settings.dsn.get_secret_value()
    async with make_pool(dsn, application="watch", size=1, statement_timeout="5s") as pool:
        operations = _operations(parts, progress, [*pools, pool], Observer(pool, settings.slot))
        runner = web.AppRunner(make_app(operations), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.api_host, settings.api_port).start()
            log.info("serving", addresses=[f"http://{host}:{port}" for host, port, *_ in runner.addresses])
            yield
        finally:
            await runner.cleanup()


def _operations(
    parts: Collection[str], progress: Progress | None, pools: Collection[Pool], observer: Observer
) -> Operations:
    exposition = Exposition(progress, pools, observer)

    async def readiness() -> Readiness:
        await observer.look()
        seen = Seen(observer.seen, observer.error, time.monotonic() - observer.moved_at)
        return judge(parts, progress, seen, time.time())

    async def metrics() -> tuple[bytes, str]:
        await observer.look()
        # It takes milliseconds with many endpoints, which are the stream's.
        return await asyncio.to_thread(generate_latest, exposition), CONTENT_TYPE_LATEST

    return Operations(readiness, metrics)
