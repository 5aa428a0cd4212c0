"""The demo from start to end: a database, Roomwire as a user runs it, staff at work, and the page."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import psycopg

from deploy.demo import places
from deploy.demo.children import LINES, Child, ChildFailedError, finish
from deploy.demo.engine.receiving import Engine
from deploy.demo.front_desk import FrontDesk, today
from deploy.demo.places import Place
from deploy.demo.progress import step
from deploy.demo.visit import InTheWayError
from deploy.demo.website import Website, serving
from deploy.embedded import ServerFailedError
from deploy.pms.simulator import WEIGHTS, Simulator

# What staff do rarely and would look like a fault of the page: types renamed to numbers, all hotels closed at once.
UNSEEMLY = {"edit_room_type", "add_room_type", "block_everything"}
LOOK = 1.0
"""Seconds between looks at a database that has gone."""


class EndedError(RuntimeError):
    """Something that has to go on has ended; the message says what."""


KNOWN = (EndedError, ChildFailedError, ServerFailedError, InTheWayError, psycopg.Error)


def run_demo(*, dsn: str | None, port: int, rate: float) -> int:
    """Run the demo until SIGINT or SIGTERM; returns the exit code.

    Args:
        dsn: A database of the user's, as its superuser; None for a server of the demo's own.
        port: Of the page; 0 takes a free one.
        rate: Actions of the hotels' staff per second; 0 leaves the visitor alone with the front desk.
    """
    with asyncio.Runner() as runner:
        return runner.run(_until_signal(_play(dsn, port, rate)))


async def _until_signal(play: Coroutine[Any, Any, None]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    playing, asked = asyncio.create_task(play), asyncio.create_task(stop.wait())
    await asyncio.wait({playing, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not playing.done():
        playing.cancel()
    try:
        await playing
    except asyncio.CancelledError:
        print("Ended: nothing is left running.", flush=True)
        return 0
    except KNOWN as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
    return 1


async def _play(dsn: str | None, port: int, rate: float) -> None:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    site = Website(Engine(secret))
    print("Starting the demo (Ctrl-C ends it):", flush=True)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(site, port))
        place = await stack.enter_async_context(places.yours(dsn) if dsn else places.own())
        with step("roomwire setup"):
            await _roomwire(place, "setup")
        daemon = await stack.enter_async_context(Child("roomwire run", ["daemon", "run"], place.settings))
        _show(site, place)
        await _first(_go_on(site, secret, place, rate, daemon), daemon.failed(), _watch(place))


async def _open(daemon: Child, place: Place) -> None:
    """Make a key for the visitor and say how the API is called; nothing where it is closed."""
    if "ROOMWIRE_WRITER_DSN" not in place.settings:
        return
    scopes = [word for scope in ("read", "book", "guest-data") for word in ("--scope", scope)]
    key = (await _roomwire(place, "key", "create", "visitor", *scopes)).split()[-1]
    api = f"{await _served(daemon)}/api/booking-engine"
    print(f"  The API, to read            {api}/docs", flush=True)
    print(f"  and to try                  curl -H 'Authorization: Bearer {key}' {api}/hotels\n", flush=True)


async def _served(daemon: Child) -> str:
    """Where its log says that it serves."""
    while True:
        if found := re.search(r'"addresses": \["([^"]+)"\]', daemon.log()):
            return found[1]
        await asyncio.sleep(LOOK / 10)


async def _go_on(site: Website, secret: str, place: Place, rate: float, daemon: Child) -> None:
    """What happens while the page can be looked at: the first sync, then staff at work, for ever."""
    await _open(daemon, place)
    with step("roomwire run reads the PMS for the first time"):
        await _read(place)
    with step("roomwire endpoint add"):
        options = ["--secret", secret, "--guest-data", "--heartbeat-seconds", "1"]
        await _roomwire(place, "endpoint", "add", "demo", site.webhook, *options)
    with step("the booking engine's first sync"):
        await site.engine.in_step.wait()
    site.desk = FrontDesk(place.dsn)
    if rate <= 0:
        print("  Nobody is at work but you, at the front desk.", flush=True)
        await asyncio.Event().wait()
    print(f"  Staff are at work: {rate:g} actions a second.", flush=True)
    weights = {name: weight for name, weight in WEIGHTS.items() if name not in UNSEEMLY}
    simulator = Simulator(
        place.dsn, seed=secrets.randbits(32), connections=3, rate=rate, today=today(), weights=weights
    )
    await simulator.run()


async def _read(place: Place) -> None:
    """Wait until `roomwire status` shows documents and no work: an endpoint added now gets a whole first sync."""
    while True:
        said = dict(
            line.split(maxsplit=1) for line in (await _roomwire(place, "status")).splitlines() if " " in line
        )
        if said.get("work") == "none left" and said.get("documents") != "none yet":
            return
        await asyncio.sleep(LOOK / 2)


async def _roomwire(place: Place, *words: str) -> str:
    return await finish(f"roomwire {words[0]}", ["daemon", *words], place.settings)


async def _watch(place: Place) -> None:
    """Notice when the database goes: ours ends the demo, a user's is waited for, as Roomwire does.

    Raises:
        EndedError: Our own PostgreSQL has ended.
    """
    gone = False
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(place.dsn, autocommit=True) as conn:
                gone = False
                async for _ in conn.notifies():
                    pass
        except psycopg.OperationalError as error:
            if place.log:
                log = "\n".join(f"    {line}" for line in place.log().splitlines()[-LINES:])
                raise EndedError(f"PostgreSQL has ended. The end of its log:\n{log}") from None
            if not gone:
                print(f"  Your PostgreSQL is gone ({' '.join(str(error).split())}); waiting for it.", flush=True)
            gone = True
        await asyncio.sleep(LOOK)


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Wait until one of these ends, and end the others; raises what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _show(site: Website, place: Place) -> None:
    print(f"\n  The booking engine's page   {site.url}", flush=True)
    print(f"  Its webhook                 {site.webhook}", flush=True)
    if place.log:
        print(f"  The PMS's database          psql '{place.dsn}'", flush=True)
    print(flush=True)
