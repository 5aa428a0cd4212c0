"""What Roomwire costs where nothing happens.

The log is mostly the server's own: it analyzes and vacuums what was loaded before, which pg_walinspect shows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg

from outbox.signing import new_secret
from tests.bench import processes
from tests.bench.figures import Figure, at_most
from tests.bench.processes import watching
from tests.bench.receiver import FastReceiver
from tests.bench.stage import Stage, first_sync, pid_of

SECONDS = (600, 10)


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Share of a core, bytes of log, and growth of memory of an idle daemon with an endpoint."""
    async with stage.roomwire() as roomwire, FastReceiver() as receiver:
        await first_sync(roomwire)
        await roomwire.add_endpoint("engine", receiver.url, new_secret())
        with roomwire.database.connect() as conn:
            async with roomwire.running() as daemon:
                await roomwire.settled(120)
                stage.say("doing nothing")
                # What comes after a first sync is not idleness: statistics, and a last beat of the old batch.
                await asyncio.sleep(5)
                pid, seconds = pid_of(daemon), stage.scale.of(*SECONDS)
                memory, written, started = processes.memory(pid, "VmRSS"), _written(conn), time.monotonic()
                async with watching(lambda: {pid: "roomwire", **processes.backends(conn, roomwire.role)}) as usage:
                    await asyncio.sleep(seconds)
                minutes = (time.monotonic() - started) / 60
                grown = processes.memory(pid, "VmRSS") - memory
                log = (_written(conn) - written) / minutes
    for name, used in sorted(usage.seconds.items()):
        yield Figure("idle", stage.name, f"CPU of {name}", used / minutes / 60 * 100, "% of a core")
    yield Figure("idle", stage.name, "CPU", usage.total / minutes / 60 * 100, "% of a core", at_most(1))
    yield Figure("idle", stage.name, "log written", log / 1024, "kB a minute")
    yield Figure("idle", stage.name, "memory grown", grown / processes.MEGABYTE, "MB", at_most(1))


def _written(conn: psycopg.Connection[tuple[object, ...]]) -> int:
    row = conn.execute("select (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
    assert row is not None
    return int(str(row[0]))
