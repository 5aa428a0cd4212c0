"""What Roomwire costs the PMS: its write rate and latency with and without it, in turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from outbox.signing import new_secret
from tests.bench import recvlogical
from tests.bench.figures import Figure, at_least
from tests.bench.receiver import FastReceiver
from tests.bench.stage import Stage, first_sync
from tests.bench.workload import Load, perform
from tests.support.daemon import Roomwire

CONNECTIONS = 8
SECONDS = (8, 3)
ROUNDS = (3, 1)
PACE = 100.0
"""Transactions a second of a PMS that is busy and has room left."""


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Rates as fast as the server can, and latencies at a pace; medians over the rounds."""
    found: dict[str, list[tuple[Load, Load]]] = {"alone": [], "with pg_recvlogical": [], "with Roomwire": []}
    async with stage.roomwire(chain=True) as roomwire, FastReceiver() as receiver:
        await first_sync(roomwire)
        await roomwire.add_endpoint("engine", receiver.url, new_secret())
        async with roomwire.running():
            await roomwire.settled(240)
        recvlogical.copy_slot(roomwire)
        for turn in range(stage.scale.of(*ROUNDS)):
            for state, loads in found.items():
                stage.say(f"round {turn + 1}: {state}")
                async with _attached(stage, roomwire, state):
                    loads.append(await _loads(stage, roomwire))
    for figure in _figures(stage, found):
        yield figure


@asynccontextmanager
async def _attached(stage: Stage, roomwire: Roomwire, state: str) -> AsyncIterator[None]:
    """Attach what the state names, once it has read what was written without it."""
    if state == "with Roomwire":
        async with roomwire.running():
            await roomwire.settled(240)
            yield
    elif state == "with pg_recvlogical":
        async with recvlogical.reading(stage, roomwire):
            yield
    else:
        yield


async def _loads(stage: Stage, roomwire: Roomwire) -> tuple[Load, Load]:
    seconds = stage.scale.of(*SECONDS)
    paced = await perform(stage, roomwire, seconds=seconds, connections=CONNECTIONS, rate=PACE)
    return paced, await perform(stage, roomwire, seconds=seconds, connections=CONNECTIONS)


def _figures(stage: Stage, found: dict[str, list[tuple[Load, Load]]]) -> list[Figure]:
    figures = []
    for state, loads in found.items():
        rates = [load.rate for _, load in loads]
        figures.append(Figure("harm", stage.name, f"transactions, {state}", median(rates), "/s"))
        for share in (0.5, 0.99):
            for pace, values in (
                (f"at {PACE:g}/s", [paced.latency(share) for paced, _ in loads]),
                ("at full rate", [full.latency(share) for _, full in loads]),
            ):
                name = f"the PMS's p{share * 100:g} {pace}, {state}"
                figures.append(Figure("harm", stage.name, name, median(values), "ms"))
    for state, target in (("with pg_recvlogical", None), ("with Roomwire", at_least(0.9))):
        # Each round is compared with itself: a server that fills up gets slower.
        shares = [f.rate / alone.rate for (_, f), (_, alone) in zip(found[state], found["alone"], strict=True)]
        figures.append(Figure("harm", stage.name, f"rate {state} ÷ alone", median(shares), "", target))
    return figures
