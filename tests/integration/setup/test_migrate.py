"""Migrations: up, down and up again, by one runner at a time, and never over a file that has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from psycopg import AsyncConnection

import sql
from sql import migrate
from sql.migrate import MigrationError
from sql.pool import connect
from tests.support.daemon import until
from tests.support.servers.databases import Database

SHAPE = """
    select coalesce(json_agg(found order by found::text), '[]')::text from (
        select table_name, column_name, data_type, column_default, is_nullable
        from information_schema.columns where table_schema = 'booking_engine'
        union all
        select indexdef, '', '', '', '' from pg_indexes where schemaname = 'booking_engine'
        union all
        select oid::regprocedure::text, '', '', '', '' from pg_proc
        where pronamespace = 'booking_engine'::regnamespace
    ) found
"""


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[AsyncConnection]:
    async with await connect(database.dsn, application="test") as conn:
        yield conn


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations that a test may change."""
    folder = tmp_path / "migrations"
    copytree(Path(sql.__file__).parent / "migrations", folder)
    monkeypatch.setattr(migrate, "_FOLDER", folder)
    return folder


async def ask(conn: AsyncConnection, question: str) -> Any:
    row = await (await conn.execute(question.encode())).fetchone()
    return row and row[0]


async def test_up_down_and_up_again_ends_in_the_same_shape(conn: AsyncConnection) -> None:
    names = [f"{m.number:04} {m.name}" for m in migrate.available()]
    assert await migrate.pending(conn) == names
    assert await migrate.migrate(conn) == [f"applied {name}" for name in names]
    shape = await ask(conn, SHAPE)
    assert "booking_engine" in shape
    assert await migrate.pending(conn) == []
    assert await migrate.migrate(conn) == []
    assert await migrate.migrate(conn, 0) == [f"took back {name}" for name in reversed(names)]
    assert await migrate.pending(conn) == names
    left = "select array_agg(table_name::text) from information_schema.tables where table_schema = 'booking_engine'"
    assert await ask(conn, left) == ["migration"]
    await migrate.migrate(conn)
    assert await ask(conn, SHAPE) == shape


async def test_each_step_back_undoes_exactly_its_own_step(conn: AsyncConnection) -> None:
    shapes = []
    numbers = [0, *(m.number for m in migrate.available())]
    for number in numbers:
        await migrate.migrate(conn, number)
        shapes.append(await ask(conn, SHAPE))
    for number, shape in zip(reversed(numbers), reversed(shapes), strict=True):
        await migrate.migrate(conn, number)
        assert await ask(conn, SHAPE) == shape, number


async def test_a_file_that_was_changed_after_it_ran_is_refused(conn: AsyncConnection, files: Path) -> None:
    await migrate.migrate(conn)
    first = files / "0001_foundation.sql"
    first.write_text(first.read_text().replace("-- up\n", "-- up\nselect 1;\n", 1))
    with pytest.raises(MigrationError, match=r"0001 .* was changed after it ran"):
        await migrate.migrate(conn)


async def test_another_way_back_is_no_change(conn: AsyncConnection, files: Path) -> None:
    await migrate.migrate(conn)
    first = files / "0001_foundation.sql"
    first.write_text(first.read_text() + "\n-- a remark\n")
    assert await migrate.migrate(conn) == []


async def test_a_database_newer_than_this_installation_is_refused(conn: AsyncConnection, files: Path) -> None:
    (files / "0099_later.sql").write_text("-- up\ncreate table booking_engine.later ();\n-- down\nselect 1;\n")
    await migrate.migrate(conn)
    (files / "0099_later.sql").unlink()
    with pytest.raises(MigrationError, match="0099 later; install a newer Roomwire"):
        await migrate.migrate(conn)


async def test_one_that_fails_leaves_nothing_of_those_before_it(conn: AsyncConnection, files: Path) -> None:
    (files / "0099_wrong.sql").write_text("-- up\nselect nothing;\n-- down\nselect 1;\n")
    with pytest.raises(Exception, match="nothing"):
        await migrate.migrate(conn)
    assert await ask(conn, "select to_regnamespace('booking_engine') is null")


def test_a_file_without_a_way_back_is_refused(files: Path) -> None:
    (files / "0099_oneway.sql").write_text("-- up\nselect 1;\n")
    with pytest.raises(MigrationError, match=r"0099_oneway\.sql needs"):
        migrate.available()


async def test_a_second_runner_waits_for_the_first_however_long_it_takes(
    conn: AsyncConnection, database: Database
) -> None:
    async with (
        await connect(database.dsn, application="second") as second,
        await connect(database.dsn, application="onlooker") as onlooker,
        asyncio.TaskGroup() as group,
    ):
        async with conn.transaction():
            done = await migrate.migrate(conn)
            runs = group.create_task(migrate.migrate(second))

            async def waits_long() -> bool:
                return runs.done() or bool(
                    await ask(
                        onlooker,
                        "select count(*) = 1 from pg_stat_activity where application_name = 'roomwire second'"
                        " and wait_event_type = 'Lock' and clock_timestamp() - query_start > interval '0.6 s'",
                    )
                )

            assert await until(waits_long, 60)
            assert not runs.done(), "more than the lock_timeout that keeps out of the PMS's way"
        assert await runs == []
        assert done
    assert await ask(conn, "show lock_timeout") == "400ms"
