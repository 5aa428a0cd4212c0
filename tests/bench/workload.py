"""Load on the PMS: the mix of workload.sql, recorded in bulk or performed by pgbench."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from daemon.leadership import BEAT_PREFIX
from daemon.replication.options import pgoutput_options, wal2json_options
from sql.pms import tables
from sql.pms.tables import FOLLOWED
from tests.bench.figures import percentile
from tests.bench.stage import Stage
from tests.support.daemon import Roomwire

_CONNECTIONS = 4
_ROUND = 500
_WRITTEN = """
    select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables
    where coalesce(pg_partition_root(relid), relid) = any(%s::text[]::regclass[])
"""
_ROWS = {
    "wal2json": 'select count(*) filter (where data ~ \'^."action":"[IUDT]"\'),'
    ' count(*) filter (where data ~ \'^."action":"C"\') from pg_logical_slot_peek_changes',
    "pgoutput": "select count(*) filter (where get_byte(data, 0) = any(array[73, 85, 68, 84])),"
    " count(*) filter (where get_byte(data, 0) = 67) from pg_logical_slot_peek_binary_changes",
}
"""Rows (insert, update, delete, truncate) and commits that a plugin would send."""


async def record(roomwire: Roomwire, changes: int) -> None:
    """Perform the mix, as fast as the server can, until about so many rows of followed tables have changed."""
    conns = [
        await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) for _ in range(_CONNECTIONS)
    ]
    try:
        for conn in conns:
            # Only the recording is hurried; nothing is measured yet.
            await conn.execute("set synchronous_commit = off")
        before = await _written(conns)
        while await _written(conns) < before + changes:
            await asyncio.gather(*(_work(conn) for conn in conns))
    finally:
        for conn in conns:
            await conn.close()


async def _work(conn: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    await conn.execute("call bench.work(%s)", (_ROUND,))
    await conn.execute("select pg_stat_force_next_flush()")


async def _written(conns: list[psycopg.AsyncConnection[tuple[object, ...]]]) -> int:
    row = await (await conns[0].execute(_WRITTEN, (list(FOLLOWED),))).fetchone()
    assert row is not None
    return int(str(row[0]))


async def options(stage: Stage, conn: psycopg.AsyncConnection[tuple[object, ...]]) -> dict[str, str]:
    """The plugin's options as Roomwire asks for them."""
    if stage.kit.plugin == "pgoutput":
        return pgoutput_options(["roomwire"])
    return wal2json_options(sorted(await tables.noise(conn)), BEAT_PREFIX)


async def count(stage: Stage, roomwire: Roomwire, slot: str) -> tuple[int, int]:
    """How many rows and commits a slot would send now."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        asked = [word for pair in (await options(stage, conn)).items() for word in pair]
        query = f"{_ROWS[stage.kit.plugin]}(%s, null, null, variadic %s::text[])"
        row = await (await conn.execute(query.encode(), (slot, asked))).fetchone()
        assert row is not None
        return int(str(row[0])), int(str(row[1]))


@dataclass(frozen=True, slots=True)
class Load:
    """What pgbench saw: transactions per second, and their latencies in seconds."""

    rate: float
    latencies: list[float]

    def latency(self, share: float) -> float:
        """A percentile of the latencies, in milliseconds."""
        return percentile(self.latencies, share) * 1000


async def perform(
    stage: Stage, roomwire: Roomwire, *, seconds: int, connections: int, rate: float | None = None
) -> Load:
    """Perform the mix by pgbench: at a fixed rate whatever the server does (open loop), or as fast as it can.

    Latency counts from when a transaction was due, so waiting for a free connection is part of it.

    Raises:
        AssertionError: pgbench failed; with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="roomwire-bench-") as folder:
        script = Path(folder) / "flow.sql"
        script.write_text("select bench.flow();\n")
        command = [stage.program("pgbench"), "--no-vacuum", f"--client={connections}", f"--time={seconds}"]
        command += [
            f"--file={script}",
            "--log",
            f"--log-prefix={folder}/log",
            "--max-tries=5",
            "--protocol=prepared",
        ]
        command += [f"--rate={rate}"] if rate else []
        process = await asyncio.create_subprocess_exec(
            *command,
            roomwire.database.dsn,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode() + out.decode()
        times = await asyncio.to_thread(_logged, Path(folder))
    return Load(len(times) / seconds, times)


def _logged(folder: Path) -> list[float]:
    """The latency of every transaction that succeeded, in seconds: the third word of its line."""
    lines = [line.split() for log in folder.glob("log.*") for line in log.read_text().splitlines()]
    return [int(words[2]) / 1e6 for words in lines if words[2].isdigit()]
