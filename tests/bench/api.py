"""What booking engines wait for: the calendar, stays and bookings, over 100 connections of a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from tests.bench import processes
from tests.bench.bookings import Server, measure_bookings
from tests.bench.callers import Heard, call
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.processes import watching
from tests.bench.stage import Stage, first_sync, pid_of
from tests.support.daemon import Daemon, Roomwire, today

CONNECTIONS = 100
SECONDS = (20, 4)
CALENDAR, STAYS = "calendar of 30 nights", "stay of 2 nights"
BUDGETS = {CALENDAR: (3000, 15), STAYS: (300, 60)}
"""What is asked → calls per second, and milliseconds that 99 % of the answers may take."""
_KEY = ("--scope", "read", "--scope", "book", "--scope", "guest-data", "--requests-per-minute", "100000000")


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Latencies at a fixed rate, the highest rate, and what a call costs."""
    async with stage.roomwire() as roomwire:
        roomwire.settings["ROOMWIRE_LOG_LEVEL"] = "info"  # it says where it serves
        await first_sync(roomwire)
        key = await roomwire.add_key(*_KEY)
        async with roomwire.running() as daemon:
            url = await daemon.api()
            await roomwire.settled(120)
            for what, paths in _asked().items():
                for figure in await _reading(stage, roomwire, daemon, what, (url, key, paths)):
                    yield figure
            async for figure in measure_bookings(stage, Server(roomwire, daemon, url, key)):
                yield figure


def _asked() -> dict[str, list[str]]:
    """What is asked → paths, of three hotels and several days."""
    day = today()
    calendar, stays = [], []
    for hotel_id in (1, 2, 3):
        for ahead in (0, 30, 60):
            first = day + timedelta(days=ahead)
            calendar.append(f"/availability/{hotel_id}?from={first}&to={first + timedelta(days=30)}")
        for ahead in range(1, 60, 7):
            first = day + timedelta(days=ahead)
            stays.append(
                f"/availability/{hotel_id}?check_in={first}&check_out={first + timedelta(days=2)}&guests=2"
            )
    return {CALENDAR: calendar, STAYS: stays}


async def _reading(
    stage: Stage, roomwire: Roomwire, daemon: Daemon, what: str, asked: tuple[str, str, list[str]]
) -> list[Figure]:
    """The figures of one kind of question."""
    rate, most = BUDGETS[what]
    seconds = stage.scale.of(*SECONDS)
    stage.say(f"{what}: {rate} a second")
    await call(*asked, connections=CONNECTIONS, seconds=2, rate=rate / 2)  # what is made once is made
    paced, used = await _watched(roomwire, daemon, asked, seconds=seconds, rate=rate)
    stage.say(f"{what}: as many as can be")
    most_rate = await call(*asked, connections=CONNECTIONS, seconds=seconds / 2)
    return [
        *_latencies(stage, what, paced, most),
        Figure(
            "api",
            stage.name,
            f"{what}: CPU of roomwire a call",
            used["roomwire"] / len(paced.latencies) * 1e6,
            "µs",
        ),
        Figure(
            "api",
            stage.name,
            f"{what}: CPU of its sessions a call",
            used["backend"] / len(paced.latencies) * 1e6,
            "µs",
        ),
        Figure("api", stage.name, f"{what}: highest rate", most_rate.rate, "/s", at_least(rate)),
        Figure("api", stage.name, f"{what}: errors", paced.errors(200) + most_rate.errors(200), "", at_most(0)),
    ]


def _latencies(stage: Stage, what: str, heard: Heard, most: float) -> list[Figure]:
    figures = [Figure("api", stage.name, f"{what}: answered", heard.rate, "/s")]
    for share in (0.5, 0.9, 0.99, 1.0):
        name = f"{what}: {'max' if share == 1 else f'p{share * 100:g}'}"
        target = at_most(most) if share == 0.99 else None
        figures.append(Figure("api", stage.name, name, heard.latency(share), "ms", target))
    return figures


async def _watched(
    roomwire: Roomwire, daemon: Daemon, asked: tuple[str, str, list[str]], *, seconds: float, rate: float
) -> tuple[Heard, dict[str, float]]:
    """Call at a rate; returns also the CPU seconds of the process and of the writer's sessions."""
    pid = pid_of(daemon)
    with roomwire.database.connect() as conn:
        async with watching(lambda: {pid: "roomwire", **processes.backends(conn, roomwire.writer)}) as usage:
            heard = await call(*asked, connections=CONNECTIONS, seconds=seconds, rate=rate)
    return heard, {"roomwire": 0.0, "backend": 0.0} | usage.seconds
