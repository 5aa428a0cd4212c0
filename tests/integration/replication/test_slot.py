"""The slot's life, and what the plugins make of their options."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daemon.replication import slot
from daemon.replication.changes import Message
from daemon.replication.errors import PluginMissingError
from daemon.replication.options import wal2json_options
from daemon.replication.stream import ReplicationStream
from tests.integration.replication.reading import Consumer, consuming, prepare
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database

ODD = "Odd, S.*"
ODD_NAMES = [
    "Upper",
    r"We,i.r*d \'x",
    'quo"te',
    "日本 語",
    "tab\tx",
    "new\nline",
    "a-b(c);d$",
    "*",
    "trail\\",
    " lead",
    "100%",
]


async def test_a_slot_from_its_making_to_its_end(database: Database, plugin: Any) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
        assert await slot.inspect(connection, database.slot()) == slot.SlotState(exists=False)
        position = await slot.create(connection, database.slot(), plugin)
        state = await slot.inspect(connection, database.slot())
        assert (state.exists, state.here, state.plugin, state.lost) == (True, True, plugin, False)
        assert state.confirmed_flush_lsn == position
        assert 0 < (state.restart_lsn or 0) <= position
        assert state.wal_status == "reserved"
        assert state.failover == (database.server.version >= 17)
        assert state.active_pid is None
        await slot.drop(connection, database.slot())
        assert not (await slot.inspect(connection, database.slot())).exists


async def test_a_replication_connection_does_for_everything(database: Database, plugin: Any) -> None:
    async with await ReplicationStream.connect(database.dsn, application="test") as stream:
        assert (await slot.check_server(stream.connection)).wal_level == "logical"
        await slot.create(stream.connection, database.slot(), plugin)
        assert (await slot.inspect(stream.connection, database.slot())).plugin == plugin


async def test_who_streams_is_told(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    async with consuming(database, plugin) as consumer:
        async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
            state = await slot.inspect(connection, database.slot())
        assert state.active_pid == consumer.stream.connection.info.backend_pid


async def test_the_plugin_is_chosen_by_what_works(server: Server, database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
        assert await slot.choose_plugin(connection, "auto") == server.plugins[0]
        assert await slot.choose_plugin(connection, "pgoutput") == "pgoutput"
        if "wal2json" in server.plugins:
            assert await slot.choose_plugin(connection, "wal2json") == "wal2json"
        else:
            with pytest.raises(PluginMissingError):
                await slot.choose_plugin(connection, "wal2json")
        row = await (
            await connection.execute("SELECT count(*) FROM pg_replication_slots WHERE temporary")
        ).fetchone()
        assert row == (0,)
        settings = await (await connection.execute("SHOW statement_timeout")).fetchone()
        assert settings == ("0",)


async def test_wal2json_leaves_out_exactly_what_is_named_noise(pg15: Server) -> None:
    with fresh_database(pg15) as database, database.connect() as connection:
        await _make_odd_changes(database, connection)
        for filtered in [[name] for name in ODD_NAMES if name != "*"] + [[n for n in ODD_NAMES if n != "*"]]:
            options = wal2json_options([(ODD, name) for name in filtered], "roomwire")
            async with await ReplicationStream.connect(database.dsn, application="test") as stream:
                await stream.start(database.slot(), 0, options)
                seen = await _tables_until_message(Consumer(stream, "wal2json"))
            assert seen == [name for name in [*ODD_NAMES, "kept"] if name not in filtered]
        async with await ReplicationStream.connect(database.dsn, application="test") as stream:
            await stream.start(database.slot(), 0, wal2json_options([(ODD, "*")], "roomwire"))
            assert await _tables_until_message(Consumer(stream, "wal2json")) == []


async def _make_odd_changes(database: Database, connection: psycopg.Connection) -> None:
    connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(ODD)))
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as ours:
        await slot.create(ours, database.slot(), "wal2json")
    for name in [*ODD_NAMES, "kept"]:
        table = Identifier(ODD, name)
        connection.execute(SQL("CREATE TABLE {} (id int)").format(table))
        connection.execute(SQL("INSERT INTO {} VALUES (1)").format(table))
    # Its content would not be JSON.
    connection.execute("SELECT pg_logical_emit_message(true, 'else', '\\xff'::bytea)")
    connection.execute("SELECT pg_logical_emit_message(true, 'roomwire', 'end')")


async def _tables_until_message(consumer: Consumer) -> list[str]:
    tables: list[str] = []
    async for rows, _ in consumer.transactions():
        for row in rows:
            if isinstance(row, Message):
                return tables
            tables.append(row.table)
    return tables
