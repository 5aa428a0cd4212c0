"""How fast capture turns a backlog into durable documents, beside others that only read the same log.

These are pg_recvlogical and, where it is installed, Debezium's engine, from its first batch on.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import psycopg

from tests.bench import debezium, processes, recvlogical
from tests.bench.figures import Figure, at_least
from tests.bench.processes import Usage, watching
from tests.bench.stage import Stage, caught_up, first_sync, pid_of, position
from tests.bench.workload import count, record
from tests.support.daemon import Roomwire, until

CHANGES = (300_000, 10_000)
NOWHERE = "http://127.0.0.1:9/"
_WRITES = "select sum(n_tup_ins + n_tup_upd)::bigint from pg_stat_user_tables where relid = any(%s::regclass[])"


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Changes per second until the checkpoint covers all, with an endpoint that is marked behind meanwhile."""
    async with stage.roomwire(chain=True) as roomwire:
        await first_sync(roomwire)
        await roomwire.add_endpoint("engine", NOWHERE, "whsec_" + "A" * 43 + "=")
        stage.say("recording changes")
        await record(roomwire, stage.scale.of(*CHANGES))
        with roomwire.database.connect() as conn:
            end = position(conn)
        recvlogical.copy_slot(roomwire)
        changes, commits = await count(stage, roomwire, recvlogical.SLOT)
        stage.say(f"{changes:,} changes in {commits:,} transactions; pg_recvlogical reads them")
        bare = await recvlogical.read_until(stage, roomwire, end)
        general = await debezium.figures(stage, roomwire, end)
        stage.say("Roomwire reads them")
        for figure in await _roomwire(stage, roomwire, end, changes):
            yield figure
            if figure.name == "changes":
                yield Figure("catchup", stage.name, "pg_recvlogical to /dev/null", changes / bare, "/s")
                yield Figure(
                    "catchup", stage.name, "share of pg_recvlogical's rate", figure.value * bare / changes, ""
                )
        for figure in general:
            yield figure


async def _roomwire(stage: Stage, roomwire: Roomwire, end: int, changes: int) -> list[Figure]:
    tables = ["booking_engine.document", "booking_engine.availability"]
    with roomwire.database.connect() as conn:
        written = _one(conn, _WRITES, tables)
        epoch = _one(conn, "select epoch from booking_engine.checkpoint")
        started = time.monotonic()
        async with roomwire.running("--only", "capture") as daemon:

            async def leads() -> bool:
                return _one(conn, "select epoch from booking_engine.checkpoint") > epoch

            assert await until(leads, 60), daemon.log()
            leading = time.monotonic()
            pid = pid_of(daemon)
            async with watching(lambda: {pid: "roomwire", **processes.backends(conn, roomwire.role)}) as usage:
                await caught_up(roomwire, end)
                seconds = time.monotonic() - leading
            peak = processes.memory(pid)
        written = await _settled_writes(conn, tables) - written
    return [
        *_figures(stage, changes / seconds, written / seconds, peak, usage),
        Figure("catchup", stage.name, "start until it leads", leading - started, "s"),
    ]


def _figures(stage: Stage, changes: float, documents: float, peak: int, usage: Usage) -> list[Figure]:
    # The budget is one for pgoutput; wal2json's text costs the server more.
    target = at_least(30_000) if stage.kit.plugin == "pgoutput" else None
    return [
        Figure("catchup", stage.name, "changes", changes, "/s", target),
        Figure("catchup", stage.name, "documents and nights written", documents, "/s"),
        *(
            Figure("catchup", stage.name, f"CPU of {name}", seconds, "s")
            for name, seconds in sorted(usage.seconds.items())
        ),
        Figure("catchup", stage.name, "peak memory", peak / processes.MEGABYTE, "MB"),
    ]


async def _settled_writes(conn: psycopg.Connection[tuple[object, ...]], tables: list[str]) -> int:
    """What the statistics say once the daemon's sessions have ended, which report at their end."""

    async def ended() -> bool:
        return not _one(conn, "select count(*) from pg_stat_activity where application_name = 'capture'")

    assert await until(ended, 20)
    return _one(conn, _WRITES, tables)


def _one(conn: psycopg.Connection[tuple[object, ...]], query: str, *values: object) -> int:
    row = conn.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return int(str(row[0]))
