"""Two endpoints that are down while a million changes go by, beside a healthy one.

One refuses connections, the other takes requests and never answers. The changes are prices, night by night: a
transaction for every date of a hotel, again and again.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psycopg

from outbox.signing import new_secret
from tests.bench import processes
from tests.bench.figures import Figure, at_most, percentile
from tests.bench.receiver import FastReceiver, Received
from tests.bench.stage import Stage, caught_up, first_sync, pid_of, position
from tests.bench.workload import perform
from tests.support.daemon import Daemon, Roomwire, until

CHANGES = (1_000_000, 20_000)
SECONDS = (15, 4)
RATE, CONNECTIONS = 50, 100
DOWN = ("refusing", "silent")
_BEHIND = """
    select count(*) from booking_engine.behind b join booking_engine.endpoint e on e.id = b.endpoint_id
    where e.name = any(%s)
"""
_KEYS = "select count(*) from booking_engine.document where version > 0"
_SIZE = "select pg_total_relation_size('booking_engine.behind')"
_HELD = "select (pg_current_wal_lsn() - restart_lsn)::bigint from pg_replication_slots where slot_name = %s"
_DATES = """
    select hotel_id, date from reservation_details where date >= current_date
    group by hotel_id, date order by date, hotel_id
"""
_RAISE = "update reservation_details set price = price + 1, updated_by = 1 where hotel_id = %s and date = %s"


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """What an outage costs while it lasts, and what the return takes."""
    async with AsyncExitStack() as stack:
        roomwire = await stack.enter_async_context(stage.roomwire(chain=True))
        healthy = await stack.enter_async_context(FastReceiver())
        await first_sync(roomwire)
        await roomwire.add_endpoint("healthy", healthy.url, new_secret())
        capture = await stack.enter_async_context(roomwire.running("--only", "capture"))
        delivery = await stack.enter_async_context(roomwire.running("--only", "delivery"))
        ports = await _in_step(roomwire)
        for figure in await _delays(stage, roomwire, healthy, "before"):
            yield figure
        async with FastReceiver(ports[1], deaf=True):
            for figure in await _outage(stage, roomwire, (capture, delivery)):
                yield figure
            for figure in await _delays(stage, roomwire, healthy, "with two down"):
                yield figure
            yield await _held(stage, roomwire)
        for figure in await _return(stage, roomwire, delivery, ports):
            yield figure


async def _in_step(roomwire: Roomwire) -> tuple[int, int]:
    """Let the two endpoints get everything once; returns their ports, where nobody listens any more."""
    async with FastReceiver() as first, FastReceiver() as second:
        for name, receiver in zip(DOWN, (first, second), strict=True):
            await roomwire.add_endpoint(name, receiver.url, new_secret())
        await roomwire.settled(300)
        return first.port, second.port


async def _delays(stage: Stage, roomwire: Roomwire, healthy: FastReceiver, when: str) -> list[Figure]:
    """The healthy endpoint's delays at a fixed rate of transactions."""
    await healthy.take()
    stage.say(f"{RATE} transactions a second, {when}")
    await perform(stage, roomwire, seconds=stage.scale.of(*SECONDS), connections=CONNECTIONS, rate=RATE)
    await _emptied(roomwire, ["healthy"])
    delays = [one.at - one.committed for one in await healthy.take()]
    return [
        Figure(
            "down",
            stage.name,
            f"healthy, {when}: commit → received p{share * 100:g}",
            percentile(delays, share) * 1000,
            "ms",
            at_most(50) if share == 0.99 else None,
        )
        for share in (0.5, 0.99)
    ]


async def _outage(stage: Stage, roomwire: Roomwire, daemons: tuple[Daemon, Daemon]) -> list[Figure]:
    """Make the changes, and wait until they are documents and with the healthy endpoint."""
    for daemon in daemons:
        processes.forget_peak(pid_of(daemon))
    changes = stage.scale.of(*CHANGES)
    stage.say(f"{changes:,} changes go by")
    started = time.monotonic()
    made = await _raise_prices(roomwire, changes)
    with roomwire.database.connect() as conn:
        await caught_up(roomwire, position(conn))
        await _emptied(roomwire, ["healthy"])
        seconds = time.monotonic() - started
        behind, keys = _one(conn, _BEHIND, list(DOWN)), _one(conn, _KEYS)
        size = _one(conn, _SIZE)
    peaks = [processes.memory(pid_of(daemon)) / processes.MEGABYTE for daemon in daemons]
    return [
        Figure("down", stage.name, "changes made", made, ""),
        Figure("down", stage.name, "until they were with the healthy endpoint", seconds, "s"),
        Figure("down", stage.name, "peak memory of capture", peaks[0], "MB", at_most(150)),
        Figure("down", stage.name, "peak memory of delivery", peaks[1], "MB"),
        Figure("down", stage.name, "keys there are", keys, ""),
        Figure("down", stage.name, "keys behind, of the two", behind, "", at_most(2 * keys)),
        Figure("down", stage.name, "what is behind, on disk", size / processes.MEGABYTE, "MB"),
    ]


async def _raise_prices(roomwire: Roomwire, changes: int) -> int:
    """Raise the prices of all nights to come, date by date, until about so many have changed; returns how many."""
    made = 0
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        # As the PMS's own imports do: what its triggers log is no change of ours.
        await conn.execute("set session_replication_role = replica")
        dates = await (await conn.execute(_DATES)).fetchall()
        while made < changes:
            for hotel_id, date in dates:
                made += (await conn.execute(_RAISE, (hotel_id, date))).rowcount
                if made >= changes:
                    break
    return made


async def _held(stage: Stage, roomwire: Roomwire) -> Figure:
    """How much of the log the slot keeps the server from throwing away, once the server has looked."""
    with roomwire.database.connect() as conn:
        least = _one(conn, _HELD, roomwire.slot)

        async def little() -> bool:
            nonlocal least
            least = min(least, _one(conn, _HELD, roomwire.slot))
            return least < processes.MEGABYTE

        await until(little, 40)
    return Figure("down", stage.name, "log held", least / processes.MEGABYTE, "MB", at_most(16))


async def _return(stage: Stage, roomwire: Roomwire, delivery: Daemon, ports: tuple[int, int]) -> list[Figure]:
    """Let the two come back, and wait until they have the net state."""
    stage.say("the two come back")
    with roomwire.database.connect() as conn:
        behind = _one(conn, _BEHIND, list(DOWN))
    async with FastReceiver(ports[0]) as first, FastReceiver(ports[1]) as second:
        back = time.time()
        await _emptied(roomwire, [*DOWN], delivery)
        received = [await first.take(), await second.take()]
    figures = [
        Figure("down", stage.name, "return: keys behind, of the two", behind, ""),
        Figure("down", stage.name, "return: messages, of the two", sum(map(len, received)), ""),
    ]
    for name, messages in zip(DOWN, received, strict=True):
        figures += _returned(stage, name, back, messages)
    return figures


def _returned(stage: Stage, name: str, back: float, messages: list[Received]) -> list[Figure]:
    first, last = min(one.at for one in messages), max(one.at for one in messages)
    return [
        Figure("down", stage.name, f"return: until {name} is tried", max(0.0, first - back), "s"),
        Figure("down", stage.name, f"return: then until {name} has the net state", last - first, "s"),
    ]


async def _emptied(roomwire: Roomwire, names: list[str], delivery: Daemon | None = None) -> None:
    """Wait until these endpoints are behind on nothing."""
    with roomwire.database.connect() as conn:

        async def empty() -> bool:
            return not _one(conn, _BEHIND, names)

        assert await until(empty, 600), delivery.log() if delivery else names


def _one(conn: psycopg.Connection[tuple[object, ...]], query: str, *values: object) -> int:
    row = conn.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return int(str(row[0]))
