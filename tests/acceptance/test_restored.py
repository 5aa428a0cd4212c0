"""After the PMS and Roomwire's tables are put back to an earlier day, engines come back with them by themselves.

What becomes of a slot differs by server; on the other it is tried at length only.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.pms.simulator import Simulator
from tests.support.daemon import Roomwire, today, until
from tests.support.mirror.process import MirrorProcess
from tests.support.operations import metrics
from tests.support.servers import PG15, PG18

UNFINISHED = """
    select exists (select from booking_engine.replay where finished_at is null)
        or exists (select from booking_engine.dirty_scope)
"""
OLD = "select count(*) from booking_engine.document where version between 1 and %s"
LEAD_AGAIN = "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = %s"
NEWEST = "select max(version) from booking_engine.document"


async def ask(roomwire: Roomwire, question: str, *values: object) -> Any:
    """The first column of the first row."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        row = await (await conn.execute(question.encode(), values or None)).fetchone()
        return row and row[0]


async def work(roomwire: Roomwire, seed: int, actions: int) -> None:
    """What staff do meanwhile; some of it is content, which they seldom touch."""
    staff = Simulator(roomwire.database.dsn, seed=seed, connections=2, rate=None, today=today())
    await staff.run(actions=actions)
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        await conn.execute("update hotels set name = %s", [f"宿 {seed}"])
        await conn.execute("update plans_hotel set name = %s", [f"プラン {seed}"])


def copy(roomwire: Roomwire, source: str, name: str) -> None:
    """Copy a database that nobody is in: all that was committed, and no slot. So does a dump."""
    statement = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(roomwire.database.server.dsn(), autocommit=True) as admin:
        admin.execute(statement.format(sql.Identifier(name), sql.Identifier(source)))


def drop(roomwire: Roomwire, name: str, *slots: str) -> None:
    with psycopg.connect(roomwire.database.server.dsn(), autocommit=True) as admin:
        for slot in slots:
            admin.execute("select pg_drop_replication_slot(%s)", [slot])
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def complete(roomwire: Roomwire) -> None:
    """Wait until all that follows from a restore is done, and delivered."""

    async def done() -> bool:
        return not await ask(roomwire, UNFINISHED)

    await roomwire.captured()
    assert await until(done, 120), await ask(roomwire, "select jsonb_agg(w) from booking_engine.dirty_scope w")
    await roomwire.settled()


@pytest.mark.parametrize("server", [PG18.name, pytest.param(PG15.name, marks=pytest.mark.chaos)], indirect=True)
async def test_engines_follow_a_database_that_was_restored(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    name, backup = roomwire.database.name, f"{roomwire.database.name}_backup"
    async with roomwire.running():
        await roomwire.settled()
    copy(roomwire, name, backup)
    try:
        async with roomwire.running():
            await work(roomwire, seed=3, actions=40)
            await roomwire.settled()
        newest = await ask(roomwire, NEWEST)
        drop(roomwire, name, roomwire.slot)
        copy(roomwire, backup, name)
    finally:
        drop(roomwire, backup)
    assert roomwire.wrong(await mirror.mirror()), "nothing was lost by the restore"
    async with roomwire.running() as daemon:
        await daemon.logged('"restored"')
        await complete(roomwire)
        assert roomwire.wrong(await mirror.mirror()) == []
        assert await ask(roomwire, OLD, newest) == 0
        assert "the database was restored from a dump" in daemon.log()
        assert (await metrics(daemon))["roomwire_restored_timestamp_seconds"] > 0
        assert "the database was restored from a dump" in await roomwire.command("status")
        await ask(roomwire, LEAD_AGAIN, roomwire.slot)
        await daemon.logged('"epoch": 3')
    assert daemon.log().count('"restored"') == 1
    checked = json.loads((await roomwire.attempt("check", "--json")).out)["checks"]
    assert [found["level"] for found in checked if found["check"] == "restored"] == ["warning"]
