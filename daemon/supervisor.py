"""The composition root: builds the parts of one process, runs them together, and ends them together."""

import asyncio
import signal
from collections.abc import Collection
from contextlib import AsyncExitStack

import structlog

from daemon.following import follow
from daemon.hints import receive_hints, send_hints
from daemon.outbound import outbound
from daemon.parts import Part, PartEndedError
from daemon.progress import Progress
from daemon.serving import serving
from daemon.settings import Settings
from outbox.delivery.worker import run_delivery
from outbox.feed import run_feed
from sql import delivery
from sql.pool import Pool, make_pool

log = structlog.get_logger()

_CAPTURE_CONNECTIONS = 3
_DELIVERY_CONNECTIONS = 8
_FEED_CONNECTIONS = 2


async def supervise(settings: Settings, parts: Collection[Part]) -> None:
    """Run these parts until SIGTERM or SIGINT; a part that fails ends them all, with its error."""
    asked, stop = asyncio.Event(), asyncio.Event()

    def ask() -> None:
        asked.set()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    async with AsyncExitStack() as resources, asyncio.TaskGroup() as tasks:
        forever = await _start(settings, parts, stop, resources, tasks)
        for task in forever:
            task.add_done_callback(lambda _: stop.set())
        log.info("running", parts=sorted(parts), slot=settings.slot)
        await stop.wait()
        if not asked.is_set():
            raise PartEndedError
        log.info("stopping")
        for task in forever:
            task.cancel()
    log.info("stopped")


async def _start(
    settings: Settings,
    parts: Collection[Part],
    stop: asyncio.Event,
    resources: AsyncExitStack,
    tasks: asyncio.TaskGroup,
) -> list[asyncio.Task[None]]:
    """Start the parts; returns those that only cancelling ends."""
    dsn = settings.dsn.get_secret_value()
    changed, told = asyncio.Event(), asyncio.Event()

    def tell() -> None:
        changed.set()
        told.set()

    progress = Progress()
    pools: list[Pool] = []
    forever = []
    if "capture" in parts:
        pool = await resources.enter_async_context(make_pool(dsn, application="capture", size=_CAPTURE_CONNECTIONS))
        forever.append(tasks.create_task(follow(settings, pool, tell, progress)))
        pools.append(pool)
        if "delivery" not in parts:
            forever.append(tasks.create_task(send_hints(pool, changed)))
    if "delivery" in parts:
        pool = await resources.enter_async_context(
            make_pool(dsn, application="delivery", size=_DELIVERY_CONNECTIONS, **delivery.SESSION)
        )
        pools.append(pool)
        delivering = tasks.create_task(run_delivery(pool, outbound(settings), wake=changed, stop=stop))
        delivering.add_done_callback(lambda _: stop.set())
        if "capture" not in parts:
            forever.append(tasks.create_task(receive_hints(dsn, changed)))
    if "capture" in parts or "delivery" in parts:
        pool = await resources.enter_async_context(
            make_pool(dsn, application="feed", size=_FEED_CONNECTIONS, lock_timeout="5s")
        )
        pools.append(pool)
        forever.append(tasks.create_task(run_feed(pool, wake=told, days=settings.feed_days)))
    if "api" in parts:
        captures = progress if "capture" in parts else None
        await resources.enter_async_context(serving(settings, parts, captures, pools))
    return forever
