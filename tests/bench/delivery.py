"""How fast documents reach one endpoint: a first sync, also beside a dead endpoint and with much history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from outbox.signing import new_secret
from tests.bench import processes
from tests.bench.figures import Figure, at_least
from tests.bench.processes import watching
from tests.bench.receiver import FastReceiver, Received
from tests.bench.stage import Stage, first_sync, pid_of
from tests.support.daemon import Roomwire, until

HISTORY = (1_000_000, 50_000)
_ATTEMPTS = """
    insert into booking_engine.attempt
        (endpoint_id, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms)
    select 1, md5(n::text), 'booking.updated', 1, 1, 900, 'delivered', 204, 3 from generate_series(1, %s) n
"""


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Messages of single bookings per second, and nights in ranges per second."""
    async with (
        stage.roomwire(chain=True) as roomwire,
        FastReceiver() as receiver,
        FastReceiver(deaf=True) as dead,
    ):
        await first_sync(roomwire)
        for figure in await _sync(stage, roomwire, receiver, "one endpoint"):
            yield figure
        await roomwire.add_endpoint("dead", dead.url, new_secret())
        for figure in await _sync(stage, roomwire, receiver, "beside a dead endpoint"):
            yield figure
        await roomwire.command("endpoint", "remove", "dead")
        with roomwire.database.connect() as conn:
            conn.execute(_ATTEMPTS.encode(), (stage.scale.of(*HISTORY),))
        for figure in await _sync(stage, roomwire, receiver, "with much history"):
            yield figure


async def _sync(stage: Stage, roomwire: Roomwire, receiver: FastReceiver, name: str) -> list[Figure]:
    """Add the endpoint, deliver until it has everything, and remove it."""
    stage.say(f"first sync: {name}")
    await receiver.take()
    await roomwire.add_endpoint("engine", receiver.url, new_secret())
    with roomwire.database.connect() as conn:

        async def empty() -> bool:
            row = conn.execute(
                "select e.fill_version is null and not exists (select from booking_engine.behind b"
                " where b.endpoint_id = e.id) from booking_engine.endpoint e where e.name = 'engine'"
            ).fetchone()
            return bool(row and row[0])

        async with roomwire.running("--only", "delivery") as daemon:
            pid = pid_of(daemon)

            async def begun() -> bool:
                return await receiver.count() > 0

            # Its start costs as much as thousands of messages.
            assert await until(begun, 60), daemon.log()
            before = await receiver.count()
            async with watching(lambda: {pid: "roomwire", **processes.backends(conn, roomwire.role)}) as usage:
                assert await until(empty, 300), daemon.log()
        received = await receiver.take()
    await roomwire.command("endpoint", "remove", "engine")
    figures = _figures(stage, name, received)
    return figures + [
        Figure(
            "delivery",
            stage.name,
            f"{name}: CPU of {who}",
            seconds / (len(received) - before) * 1e6,
            "µs per message",
        )
        for who, seconds in sorted(usage.seconds.items())
    ]


def _figures(stage: Stage, name: str, received: Sequence[Received]) -> list[Figure]:
    bookings = [one for one in received if one.type.startswith("booking.")]
    nights = [one for one in received if one.nights]
    rates = {
        "bookings": ((len(bookings) - 1) / _span(bookings), at_least(1_500)),
        "nights in ranges": (sum(one.nights for one in nights[1:]) / _span(nights), at_least(50_000)),
    }
    return [
        Figure("delivery", stage.name, f"{name}: {what}", rate, "/s", target)
        for what, (rate, target) in rates.items()
    ]


def _span(received: Sequence[Received]) -> float:
    """Seconds between the first and the last, which is not counted as one more."""
    return max(one.at for one in received) - min(one.at for one in received)
