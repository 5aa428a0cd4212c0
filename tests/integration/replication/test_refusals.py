"""Whatever a server refuses is told as what it means, with what to do."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from daemon.replication import errors, slot
from daemon.replication.options import pgoutput_options
from daemon.replication.stream import ReplicationStream
from tests.integration.replication.reading import OPTIONS, Consumer, commit, consuming, prepare, until
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database


async def start(database: Database, name: str, plugin: str, dsn: str | None = None) -> None:
    async with await ReplicationStream.connect(dsn or database.dsn, application="test") as stream:
        await stream.start(name, 0, OPTIONS[plugin])


async def ordinary(database: Database, **parameters: Any) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(make_conninfo(database.dsn, **parameters), autocommit=True)


async def test_a_slot_that_is_missing(database: Database, plugin: str) -> None:
    with pytest.raises(errors.SlotMissingError, match="resync") as caught:
        await start(database, "nowhere", plugin)
    assert not caught.value.heals
    async with await ordinary(database) as connection:
        with pytest.raises(errors.SlotMissingError):
            await slot.drop(connection, "nowhere")


async def test_a_slot_that_another_holds(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    async with consuming(database, plugin), await ordinary(database) as connection:
        with pytest.raises(errors.SlotActiveError) as caught:
            await start(database, database.slot(), plugin)
        assert caught.value.heals
        with pytest.raises(errors.SlotActiveError):
            await slot.drop(connection, database.slot())


async def test_a_refused_start_leaves_a_connection_that_can_start(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    async with await ReplicationStream.connect(database.dsn, application="test") as stream:
        with pytest.raises(errors.SlotMissingError):
            await stream.start("nowhere", 0, OPTIONS[plugin])
        await stream.start(database.slot(), 0, OPTIONS[plugin])
        assert await stream.read(1)


async def test_a_slot_of_another_database(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    with pytest.raises(errors.SlotElsewhereError):
        await start(database, database.slot(), plugin, make_conninfo(database.dsn, dbname="postgres"))


async def test_a_slot_that_is_not_logical(database: Database, plugin: str) -> None:
    with database.connect() as connection:
        name = database.slot("physical")
        connection.execute("SELECT pg_create_physical_replication_slot(%s)", [name])
        try:
            with pytest.raises(errors.SlotElsewhereError):
                await start(database, name, plugin)
        finally:
            connection.execute("SELECT pg_drop_replication_slot(%s)", [name])


async def test_a_plugin_that_is_missing_or_not_admitted(database: Database) -> None:
    async with await ordinary(database) as connection:
        with pytest.raises(errors.PluginMissingError, match="use pgoutput"):
            await slot.create(connection, database.slot(), "no_such_plugin")  # type: ignore[arg-type]
        assert not (await slot.inspect(connection, database.slot())).exists


async def test_a_publication_that_is_missing(pg15: Server) -> None:
    with fresh_database(pg15) as database, database.connect() as connection:
        await prepare(database, "pgoutput")
        async with await ReplicationStream.connect(database.dsn, application="test") as stream:
            await stream.start(database.slot(), 0, pgoutput_options(["other"]))
            commit(connection, 1)
            with pytest.raises(errors.PublicationMissingError):
                await asyncio.wait_for(Consumer(stream, "pgoutput").read_for_ever(), 30)


async def test_a_role_without_replication(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    dsn = make_conninfo(database.server.dsn(database.name, tcp=True), user="guest", password="guest")
    with pytest.raises(errors.ConnectionLostError, match=r"replication|REPLICATION"):
        await ReplicationStream.connect(dsn, application="test")
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection_:
        with pytest.raises(errors.NotPermittedError):
            await slot.check_server(connection_)


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(errors.ConnectionLostError) as caught:
        await ReplicationStream.connect("host=127.0.0.1 port=1", application="test")
    assert caught.value.heals


async def test_a_transaction_that_does_not_end_is_not_waited_for_for_ever(database: Database, plugin: Any) -> None:
    with database.connect() as long:
        long.execute("CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1)")
        async with await ordinary(database, options="-c statement_timeout=500") as connection:
            with pytest.raises(errors.SlotWaitingError) as caught:
                await slot.create(connection, database.slot(), plugin)
            assert caught.value.heals
            assert not (await slot.inspect(connection, database.slot())).exists
            assert await slot.choose_plugin(connection, "auto") == database.server.plugins[0]
            long.execute("COMMIT")
            assert await slot.create(connection, database.slot(), plugin) > 0


@pytest.mark.own_server(settings={"wal_level": "replica"})
async def test_a_server_that_logs_too_little(database: Database) -> None:
    async with await ordinary(database) as connection:
        with pytest.raises(errors.WalLevelError, match="restart"):
            await slot.create(connection, database.slot(), "pgoutput")
        with pytest.raises(errors.WalLevelError):
            await slot.choose_plugin(connection, "auto")


@pytest.mark.own_server(settings={"max_replication_slots": "1"})
async def test_a_server_without_a_free_slot(database: Database) -> None:
    async with await ordinary(database) as connection:
        await slot.create(connection, database.slot(), "pgoutput")
        with pytest.raises(errors.NoFreeSlotError, match="max_replication_slots"):
            await slot.create(connection, database.slot("second"), "pgoutput")


@pytest.mark.own_server(settings={"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB"})
async def test_a_slot_that_was_given_up(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    with database.connect() as connection:
        async with consuming(database, plugin) as consumer:
            for number in range(8):
                commit(connection, number)
                connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
            with pytest.raises(errors.ConnectionLostError):
                await asyncio.wait_for(consumer.read_for_ever(), 30)
        lost = "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = %s"
        await until(connection, lost, [database.slot()], bool)
    async with await ordinary(database) as ours:
        state = await slot.inspect(ours, database.slot())
        assert state.lost
        with pytest.raises(errors.SlotLostError, match="resync") as caught:
            await start(database, database.slot(), plugin)
        assert not caught.value.heals
        await slot.drop(ours, database.slot())
        assert not (await slot.inspect(ours, database.slot())).exists
