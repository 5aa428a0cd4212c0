"""The server always hears from us, and always the truth; and a server that is dead, or wants to be, is noticed."""

from __future__ import annotations

import asyncio
import select
import time

import pytest
from psycopg.conninfo import make_conninfo

from daemon.replication import frames
from daemon.replication.errors import ConnectionLostError
from daemon.replication.stream import ReplicationStream
from tests.integration.replication.proxy import proxied
from tests.integration.replication.reading import commit, consuming, ids, prepare, until
from tests.support.servers import Server
from tests.support.servers.databases import Database

# A server that gives a silent receiver up after 1.5 s, so that we have to speak every 0.5 s.
IMPATIENT = "-c wal_sender_timeout=1500"

FILLING = 200_000
"""More statuses than fit into the buffers between us and a server that takes none."""

CONFIRMED = "SELECT (confirmed_flush_lsn - '0/0')::bigint FROM pg_replication_slots WHERE slot_name = %s"
REPLIES = "SELECT extract(epoch FROM reply_time)::float8 FROM pg_stat_replication WHERE pid = %s"
FLUSHED = "SELECT (flush_lsn - '0/0')::bigint FROM pg_stat_replication WHERE pid = %s"


@pytest.fixture
def preferred(server: Server) -> str:
    """Feedback does not depend on the plugin: once for each server is enough."""
    return server.plugins[0]


async def test_a_consumer_that_does_not_read_is_not_given_up(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred, dsn=make_conninfo(database.dsn, options=IMPATIENT)) as consumer:
        with database.connect() as connection:
            commit(connection, 1, 200, note="x" * 100_000)
            pid = consumer.stream.connection.info.backend_pid
            first = await until(connection, REPLIES, [pid], bool)
            await until(connection, REPLIES, [pid], lambda last: last > first + 2.5)
        rows, _ = await consumer.next()
    assert ids(rows) == list(range(1, 201))


async def test_a_position_is_confirmed_by_any_task_while_another_reads(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        with database.connect() as connection:
            commit(connection, 1)
            _, end = await consumer.next()
            reading = asyncio.create_task(consumer.stream.read(1))
            consumer.stream.send_status(end.end_lsn, end.end_lsn, end.end_lsn)
            await until(connection, CONFIRMED, [database.slot()], lambda lsn: lsn == end.end_lsn)
            reading.cancel()


async def test_a_lower_position_is_never_sent(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        stream = consumer.stream
        pid = stream.connection.info.backend_pid
        with database.connect() as connection:
            commit(connection, 1)
            _, end = await consumer.next()
            stream.send_status(end.end_lsn, end.end_lsn, end.end_lsn)
            await until(connection, FLUSHED, [pid], lambda lsn: lsn == end.end_lsn)
            before = await until(connection, REPLIES, [pid], bool)
            stream.send_status(1, 1, 1)
            await until(connection, REPLIES, [pid], lambda last: last > before)
            assert await until(connection, FLUSHED, [pid], bool) == end.end_lsn


async def test_an_answer_that_is_asked_for_comes(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        consumer.stream.send_status(0, 0, 0, reply=True)
        async with asyncio.timeout(20):
            while not consumer.keepalives:
                await consumer.events()
    assert not consumer.keepalives[0].reply_requested


async def test_nothing_is_confirmed_that_nobody_confirmed(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    with database.connect() as connection:
        at_first = await until(connection, CONFIRMED, [database.slot()], bool)
        async with consuming(database, preferred, dsn=make_conninfo(database.dsn, options=IMPATIENT)) as consumer:
            commit(connection, 1)
            await consumer.next()
            pid = consumer.stream.connection.info.backend_pid
            first = await until(connection, REPLIES, [pid], bool)
            await until(connection, REPLIES, [pid], lambda last: last > first + 0.6)
        assert await until(connection, CONFIRMED, [database.slot()], bool) == at_first


async def test_statuses_that_cannot_leave_are_sent_when_they_can(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    with proxied(database) as (proxy, dsn):
        async with consuming(database, preferred, dsn=dsn) as consumer:
            with database.connect() as connection:
                commit(connection, 1)
                _, end = await consumer.next()
                proxy.up.clear()
                fill(consumer.stream)
                consumer.stream.send_status(end.end_lsn, end.end_lsn, end.end_lsn)
                proxy.up.set()
                # Long before the next status would be due, which would take the rest along.
                async with asyncio.timeout(5):
                    await until(connection, CONFIRMED, [database.slot()], lambda lsn: lsn == end.end_lsn)


async def test_frames_that_come_in_while_a_status_cannot_leave_are_read(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    with proxied(database) as (proxy, dsn):
        async with consuming(database, preferred, dsn=dsn) as consumer:
            with database.connect() as connection:
                commit(connection, 1)
                await consumer.next()
                reading = asyncio.create_task(consumer.next())
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(reading), 0.1)
                proxy.up.clear()
                fill(consumer.stream)
                commit(connection, 2)
            # libpq, not the event loop, is the first to see that there is something to read, and takes it all.
            patience = 10.0
            while select.select([consumer.stream.connection.fileno()], [], [], patience)[0]:
                consumer.stream.send_status(0, 0, 0)
                patience = 0.3
            async with asyncio.timeout(20):
                rows, _ = await reading
    assert ids(rows) == [2]


async def test_a_server_that_has_gone_silent_is_noticed(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    with proxied(database) as (proxy, dsn):
        impatient = make_conninfo(dsn, options="-c wal_sender_timeout=3000")
        async with consuming(database, preferred, dsn=impatient, silence=4.0) as consumer:
            # All that was sent is confirmed: on its own the server would now say nothing.
            await consumer.events()
            position = consumer.keepalives[-1].wal_end
            consumer.stream.send_status(position, position, position)
            reading = asyncio.create_task(consumer.read_for_ever())
            with database.connect() as connection:
                pid = consumer.stream.connection.info.backend_pid
                first = await until(connection, REPLIES, [pid], bool)
                await until(connection, REPLIES, [pid], lambda last: last > first + 4.5)
            assert not reading.done()
            proxy.down.clear()
            async with asyncio.timeout(60):
                with pytest.raises(ConnectionLostError, match="silent"):
                    await reading


async def test_a_terminated_connection_is_noticed_at_once(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        reading = asyncio.create_task(consumer.read_for_ever())
        with database.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [consumer.stream.connection.info.backend_pid])
        async with asyncio.timeout(60):
            with pytest.raises(ConnectionLostError):
                await reading
        with pytest.raises(ConnectionLostError):
            consumer.stream.send_status(1, 1, 1)
        with pytest.raises(ConnectionLostError):
            await consumer.stream.read(1)


async def test_closing_ends_a_read_and_frees_the_slot(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        reading = asyncio.create_task(consumer.read_for_ever())
        await asyncio.sleep(0)
        await consumer.stream.close()
    with pytest.raises(ConnectionLostError, match="closed"):
        await reading
    with database.connect() as connection:
        free = "SELECT active_pid IS NULL FROM pg_replication_slots WHERE slot_name = %s"
        assert await until(connection, free, [database.slot()], bool)


@pytest.mark.own_server
async def test_a_server_comes_down_when_we_confirm(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        with database.connect() as connection:
            commit(connection, 1)
        stopping = asyncio.create_task(asyncio.to_thread(database.server.stop))
        try:
            while True:
                for frame in map(frames.parse, await consumer.stream.read(10)):
                    if isinstance(frame, frames.Keepalive):
                        consumer.stream.send_status(frame.wal_end, frame.wal_end, frame.wal_end)
        except ConnectionLostError:
            await stopping
    database.server.start()


@pytest.mark.own_server
async def test_a_server_comes_down_when_we_cannot_confirm(database: Database, preferred: str) -> None:
    await prepare(database, preferred)
    async with consuming(database, preferred) as consumer:
        with database.connect() as connection:
            commit(connection, 1)
        began = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(database.server.stop))
        with pytest.raises(ConnectionLostError, match="shuts down"):
            await consumer.read_for_ever()
        await stopping
    assert time.monotonic() - began < 6
    assert len(consumer.keepalives) < 150
    database.server.start()
    async with consuming(database, preferred) as consumer:
        rows, _ = await consumer.next()
    assert ids(rows) == [1]


def fill(stream: ReplicationStream) -> None:
    """Send statuses until they do not leave any more."""
    for _ in range(FILLING):
        stream.send_status(0, 0, 0)
