"""PostgreSQL's own client, which reads a slot and throws away what it gets: the least that any follower costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from tests.bench.stage import Stage, position
from tests.bench.workload import options
from tests.support.daemon import Roomwire, until

SLOT = "twin"


def copy_slot(roomwire: Roomwire) -> None:
    """Make a slot that stands where Roomwire's does."""
    with roomwire.database.connect() as conn:
        conn.execute("select pg_copy_logical_replication_slot(%s, %s)", (roomwire.slot, SLOT))


async def read_until(stage: Stage, roomwire: Roomwire, end: int) -> float:
    """Seconds that it takes to read the copied slot up to a position.

    Raises:
        AssertionError: it failed; with what it said.
    """
    words = await _command(stage, roomwire)
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *words, f"--endpos={end >> 32:X}/{end & 0xFFFFFFFF:X}", stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return time.monotonic() - started


@asynccontextmanager
async def reading(stage: Stage, roomwire: Roomwire) -> AsyncIterator[None]:
    """Let it read the copied slot, from where it has caught up until the block ends."""
    process = await asyncio.create_subprocess_exec(*await _command(stage, roomwire))
    try:
        with roomwire.database.connect() as conn:
            end = position(conn)

            async def reached() -> bool:
                row = conn.execute(
                    "select bool_or(sent_lsn >= '0/0'::pg_lsn + %s) from pg_stat_replication"
                    " where application_name = 'pg_recvlogical'",
                    (end,),
                ).fetchone()
                return bool(row and row[0])

            assert await until(reached, 240), "pg_recvlogical does not catch up"
        yield
    finally:
        process.terminate()
        await process.wait()


async def _command(stage: Stage, roomwire: Roomwire) -> list[str]:
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        asked = await options(stage, conn)
    words = [stage.program("pg_recvlogical"), "--start", f"--slot={SLOT}", "--file=/dev/null", "--no-loop"]
    words += [f"--dbname={roomwire.database.dsn}", "--status-interval=1"]
    return words + [f"--option={name}={value}" for name, value in asked.items()]
