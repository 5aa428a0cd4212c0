"""How long after a commit in the PMS its webhook arrives, at a fixed rate of transactions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

from outbox.signing import new_secret
from tests.bench.figures import Figure, Target, at_most, percentile
from tests.bench.receiver import FastReceiver, Received
from tests.bench.stage import Stage, first_sync
from tests.bench.workload import perform
from tests.support.daemon import Roomwire, until

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
            for figure in await _beside_a_dead_endpoint(stage, roomwire, receiver):
                yield figure


async def _beside_a_dead_endpoint(stage: Stage, roomwire: Roomwire, receiver: FastReceiver) -> list[Figure]:
    """The same at 50 a second while another endpoint takes every message and never answers."""
    stage.say("50 transactions a second, beside a dead endpoint")
    async with FastReceiver(deaf=True) as dead:
        await roomwire.add_endpoint("dead", dead.url, new_secret())
        await _caught_up(roomwire)
        await receiver.take()
        await perform(stage, roomwire, seconds=stage.scale.of(*SECONDS), connections=CONNECTIONS, rate=50)
        await _caught_up(roomwire)
        took = [one.at - one.committed for one in await receiver.take()]
        await roomwire.command("endpoint", "remove", "dead")
    return [
        Figure(
            "latency",
            stage.name,
            f"50/s beside a dead endpoint: commit → received p{share * 100:g}",
            percentile(took, share) * 1000,
            "ms",
            at_most(BUDGETS[50][1]) if share == 0.99 else None,
        )
        for share in (0.5, 0.99)
    ]


async def _caught_up(roomwire: Roomwire) -> None:
    """Wait until the endpoint that lives has everything, and the other one's first sync stands in the queue."""
    with roomwire.database.connect() as conn:

        async def so() -> bool:
            row = conn.execute(
                "select bool_and(e.fill_version is null) and not exists (select from booking_engine.behind b"
                " join booking_engine.endpoint l on l.id = b.endpoint_id and l.name = 'engine')"
                " from booking_engine.endpoint e"
            ).fetchone()
            return bool(row and row[0])

        assert await until(so, 120)


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
