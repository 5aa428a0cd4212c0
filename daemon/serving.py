"""The HTTP server of a process, and what it answers from."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.access.addresses import parse_networks
from api.app import make_app
from api.bookings.rehearsal import rehearse
from api.bookings.sweeper import keep_sweeping
from api.context import Context, Options, build
from api.operations import Operations, Readiness
from api.request.server import Runner
from api.writes.turns import AT_ONCE
from daemon.exposition import Exposition
from daemon.observation import Observer
from daemon.progress import Progress
from daemon.readiness import Seen, judge
from daemon.settings import Settings, split
from outbox.secrets import Secrets
from sql.pool import Pool, make_pool

log = structlog.get_logger()

_API_CONNECTIONS = 6
_KEY_CONNECTIONS = 2


@asynccontextmanager
async def serving(
    settings: Settings, parts: Collection[str], progress: Progress | None, pools: Collection[Pool]
) -> AsyncIterator[None]:
    """Serve until the block ends. progress: None where this process does not capture.

    Raises:
        OSError: the address is not to be had.
    """
    dsn = settings.dsn.get_secret_value()
    async with AsyncExitStack() as stack:
        watch = await stack.enter_async_context(make_pool(dsn, application="watch", size=1, statement_timeout="5s"))
        context = await _context(settings, stack)
        watched = [*pools, watch, *([context.pool, context.writers, context.checks] if context else [])]
        operations = _operations(parts, progress, watched, Observer(watch, settings.slot))
        runner = Runner(make_app(operations, context))
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, settings.api_host, settings.api_port).start()
        _settle_memory()
        log.info("serving", addresses=[f"http://{host}:{port}" for host, port, *_ in runner.addresses])
        yield


def _settle_memory() -> None:
    """Spare the garbage collector what lives as long as the process: walking it takes up to 70 ms of an answer.

    And let it look for cycles after so many new objects as some answers make, not after each: few of them are any.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _context(settings: Settings, stack: AsyncExitStack) -> Context | None:
    """What the API works with, its background tasks running; None where settings are missing, and says which."""
    if settings.writer_dsn is None or settings.secret_keys is None:
        missing = "ROOMWIRE_WRITER_DSN" if settings.writer_dsn is None else "ROOMWIRE_SECRET_KEYS"
        log.info("api_closed", missing=missing, remedy="set it to serve booking engines; see docs/API.md")
        return None
    options = Options(
        slot=settings.slot,
        agent=settings.agent,
        pms_user=settings.pms_user,
        time_zone=settings.time_zone,
        redis_url=settings.redis_url.get_secret_value() if settings.redis_url else None,
        allowed=parse_networks(settings.allowed_networks),
        proxies=parse_networks(settings.trusted_proxies),
        audit_days=settings.audit_days,
        held_rooms=settings.held_rooms,
    )
    dsn = settings.writer_dsn.get_secret_value()
    pool = await stack.enter_async_context(api_pool(dsn, settings.pms_user))
    writers = await stack.enter_async_context(writers_pool(dsn, settings.pms_user))
    checks = await stack.enter_async_context(checks_pool(dsn))
    context = build(pool, writers, checks, Secrets(split(settings.secret_keys)), options)
    await stack.enter_async_context(background(context))
    return context


def api_pool(dsn: str, pms_user: int) -> Pool:
    """The API's connections. The PMS's triggers ask every transaction who writes."""
    return make_pool(dsn, application="api", size=_API_CONNECTIONS, **_as(pms_user))


def writers_pool(dsn: str, pms_user: int) -> Pool:
    """The connections over which the API writes into the PMS, one for each whose turn it is."""
    return make_pool(dsn, rehearse, application="writers", size=AT_ONCE, **_as(pms_user))


def _as(pms_user: int) -> dict[str, str]:
    return {"statement_timeout": "10s", "my_app.user_id": str(pms_user)}


def checks_pool(dsn: str) -> Pool:
    """The connections that keys are checked over, however busy the API's others are."""
    return make_pool(dsn, application="keys", size=_KEY_CONNECTIONS, statement_timeout="2s")


@asynccontextmanager
async def background(context: Context) -> AsyncIterator[None]:
    """Run what the API does beside answering, until the block ends."""
    async with context.gate.rates, asyncio.TaskGroup() as tasks:
        forever = [tasks.create_task(context.journal.keep()), tasks.create_task(keep_sweeping(context))]
        try:
            yield
        finally:
            for task in forever:
                task.cancel()


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
