"""How long after a commit in the PMS its webhook arrives, at a fixed rate of transactions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

from outbox.signing import new_secret
from tests.bench.figures import Figure, Target, at_most, percentile
from tests.bench.receiver import FastReceiver, Received
from tests.bench.stage import Stage, first_sync
from tests.bench.workload import perform

CONNECTIONS = 100
SECONDS = (25, 5)
BUDGETS = {50: (10, 50), 200: (20, 100)}
"""Transactions per second → milliseconds that half and 99 % of the webhooks may take."""


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Percentiles by rate, and the share of each step."""
    async with stage.roomwire() as roomwire, FastReceiver() as receiver:
        await first_sync(roomwire)
        await roomwire.add_endpoint("engine", receiver.url, new_secret())
        async with roomwire.running():
            await roomwire.settled(120)
            await perform(stage, roomwire, seconds=3, connections=CONNECTIONS, rate=50)
            for rate in BUDGETS:
                await roomwire.settled(120)
                await receiver.take()
                stage.say(f"{rate} transactions a second")
                since = time.time()
                load = await perform(
                    stage, roomwire, seconds=stage.scale.of(*SECONDS), connections=CONNECTIONS, rate=rate
                )
                await roomwire.settled(120)
                for figure in _figures(stage, rate, since, await receiver.take()):
                    yield figure
                yield Figure("latency", stage.name, f"{rate}/s: transactions made", load.rate, "/s")
                yield Figure("latency", stage.name, f"{rate}/s: the PMS's own p50", load.latency(0.5), "ms")


def _figures(stage: Stage, rate: int, since: float, received: Sequence[Received]) -> list[Figure]:
    half, most = BUDGETS[rate]
    steps: dict[str, list[float]] = {
        "commit → received": [one.at - one.committed for one in received],
        "commit → document": [one.written - one.committed for one in received],
        "document → received": [one.at - one.written for one in received],
        "written → received": _first_of_each(since, received),
    }
    targets: dict[float, Target] = {0.5: at_most(half), 0.99: at_most(most)}
    figures = []
    for step, values in steps.items():
        for share in (0.5, 0.9, 0.99, 1.0) if step == "commit → received" else (0.5, 0.99):
            name = f"{rate}/s: {step} {'max' if share == 1 else f'p{share * 100:g}'}"
            target = targets.get(share) if step == "commit → received" else None
            figures.append(Figure("latency", stage.name, name, percentile(values, share) * 1000, "ms", target))
    return [*figures, Figure("latency", stage.name, f"{rate}/s: messages", len(received), "")]


def _first_of_each(since: float, received: Sequence[Received]) -> list[float]:
    """Latencies of single comments since they were written, exact however many commits one message stands for."""
    seen: set[float] = set()
    found = []
    for one in received:
        if one.noted >= since and one.noted not in seen:
            seen.add(one.noted)
            found.append(one.at - one.noted)
    return found
