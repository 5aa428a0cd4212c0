"""What is committed arrives whole, in order, once, over any number of connections."""

from __future__ import annotations

import asyncio
import random

import psycopg
import uvloop

from daemon.replication import frames, slot
from daemon.replication.changes import Event, Message, Row
from daemon.replication.lsn import parse_lsn
from daemon.replication.stream import ReplicationStream
from tests.fixtures.streams.expected import decoder, inside, transactions
from tests.fixtures.streams.record import record
from tests.integration.replication.reading import commit, consuming, ids, prepare
from tests.support.servers.databases import Database


def test_the_workload_gives_what_the_recordings_give(database: Database, plugin: slot.Plugin) -> None:
    stream = uvloop.run(record(database, plugin))
    decode = decoder(plugin).decode
    events: list[Event] = []
    for frame in map(frames.parse, stream):
        if isinstance(frame, frames.XLogData):
            event = decode(frame.payload)
            events.append(event._replace(lsn=0) if isinstance(event, Message) else event)
    expected = [list(group) for group in transactions(plugin).values() if group is not None]
    assert list(inside(events)) == expected


async def test_the_system_is_the_one_that_sql_names(database: Database) -> None:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT system_identifier::text, pg_current_wal_flush_lsn() FROM pg_control_system()"
        )
        system_id, position = row.fetchone() or ("", "")
    async with await ReplicationStream.connect(database.dsn, application="test") as stream:
        system = await stream.identify_system()
    assert system.system_id == system_id
    assert system.timeline == 1
    assert system.position >= parse_lsn(position)


async def test_what_was_confirmed_does_not_come_again(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    with database.connect() as connection:
        for number in (1, 2, 3):
            commit(connection, number * 10, number * 10 + 4)
    async with consuming(database, plugin) as consumer:
        async for rows, end in consumer.transactions():
            if ids(rows) == [20, 21, 22, 23, 24]:
                consumer.stream.send_status(end.end_lsn, end.end_lsn, end.end_lsn)
                break
    async with consuming(database, plugin) as consumer:
        rows, _ = await consumer.next()
    assert ids(rows) == [30, 31, 32, 33, 34]


async def test_what_was_not_confirmed_comes_again_whole(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    with database.connect() as connection:
        commit(connection, 1, 50)
    async with consuming(database, plugin) as consumer:
        while not await consumer.events(most=5):
            pass
    async with consuming(database, plugin) as consumer:
        rows, _ = await consumer.next()
    assert ids(rows) == list(range(1, 51))


async def test_our_own_position_skips_what_the_slot_would_send_again(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    with database.connect() as connection:
        commit(connection, 1)
        commit(connection, 2)
    async with consuming(database, plugin) as consumer:
        _, end = await consumer.next()
    async with consuming(database, plugin, end.end_lsn) as consumer:
        rows, _ = await consumer.next()
    assert ids(rows) == [2]


async def test_any_number_of_lost_connections_loses_and_doubles_nothing(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    chance = random.Random(plugin)
    written, received, checkpoint, connections = 0, [0], 0, 0
    with database.connect() as connection:
        while received[-1] < 120:
            connections += 1
            for _ in range(chance.randint(0, 20)):
                size = chance.randint(1, 9)
                commit(connection, written + 1, written + size)
                written += size
            if received[-1] == written:
                continue
            async with consuming(database, plugin, checkpoint) as consumer:
                left = chance.randint(1, 12)
                async for rows, end in consumer.transactions(most=chance.randint(1, 10)):
                    assert ids(rows)[0] == received[-1] + 1
                    received += ids(rows)
                    checkpoint = end.end_lsn
                    if chance.random() < 0.3:
                        consumer.stream.send_status(checkpoint, checkpoint, checkpoint)
                    left -= 1
                    if left == 0 or received[-1] == written:
                        break
    assert received == list(range(received[-1] + 1))
    assert connections > 3


async def test_a_row_of_megabytes_arrives_whole(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    note = "日本" * 1_000_000
    with database.connect() as connection:
        commit(connection, 1, note=note)
    async with consuming(database, plugin) as consumer:
        rows, _ = await consumer.next()
    assert rows == [Row("insert", "public", "stays", {"id": "1", "note": note})]


async def test_a_cancelled_read_loses_nothing(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    events: list[Event] = []
    async with consuming(database, plugin) as consumer:
        with database.connect() as connection:
            for number in range(1, 40):
                reading = asyncio.create_task(consumer.events(1))
                for _ in range(number % 4):
                    await asyncio.sleep(0)
                commit(connection, number)
                reading.cancel()
                outcome = await asyncio.gather(reading, return_exceptions=True)
                events += outcome[0] if isinstance(outcome[0], list) else []
        async with asyncio.timeout(30):
            while ids(events)[-1:] != [39]:
                events += await consumer.events()
    assert ids(events) == list(range(1, 40))


async def test_a_stream_that_never_pauses_lets_others_run(database: Database, plugin: str) -> None:
    await prepare(database, plugin)
    with database.connect() as connection:
        commit(connection, 1, 3000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with consuming(database, plugin) as consumer:
        counting = asyncio.create_task(count())
        for _ in range(3000):
            assert len(await consumer.stream.read(1)) == 1
        counting.cancel()
    assert turns >= 3000


async def test_a_database_in_another_encoding_is_read_in_unicode(database: Database) -> None:
    name = f"{database.name}_euc"
    with database.connect() as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'EUC_JP' LOCALE 'C' TEMPLATE template0".encode())
    other = Database(database.server, name)
    try:
        async with await psycopg.AsyncConnection.connect(other.dsn, autocommit=True) as connection:
            assert await slot.choose_plugin(connection, "auto") == "pgoutput"
        await prepare(other, "pgoutput")
        with other.connect() as connection_:
            commit(connection_, 1, note="日本語")
        async with consuming(other, "pgoutput") as consumer:
            rows, _ = await consumer.next()
        assert rows == [Row("insert", "public", "stays", {"id": "1", "note": "日本語"})]
    finally:
        with database.connect() as admin:
            admin.execute("SELECT pg_drop_replication_slot(%s)", [other.slot()])
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
