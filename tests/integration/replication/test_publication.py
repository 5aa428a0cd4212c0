"""A publication that would lose changes, or harm the PMS, is refused with all of its faults."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from daemon.replication.errors import PublicationFaultyError, PublicationMissingError
from daemon.replication.publication import check_publication
from daemon.replication.stream import ReplicationStream
from tests.support.servers.databases import Database

WANTED = {"stays": frozenset({"id", "status"}), "clients": frozenset({"id"}), "not_here": frozenset({"id"})}

SCHEMA = """
CREATE TABLE stays (id int, hotel_id int, status text, note text, PRIMARY KEY (hotel_id, id))
    PARTITION BY LIST (hotel_id);
CREATE TABLE stays_1 PARTITION OF stays FOR VALUES IN (1);
CREATE TABLE clients (id int PRIMARY KEY, doubled int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE invoices (id int);
"""


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[psycopg.AsyncConnection]:
    """Return a connection to a database with tables and no publication."""
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as opened:
        await opened.execute(SCHEMA)
        yield opened


@pytest.mark.parametrize(
    "tables",
    [
        "FOR TABLE stays, clients WITH (publish_via_partition_root)",
        "FOR TABLE stays (id, hotel_id, status), clients WITH (publish_via_partition_root)",
        "FOR TABLES IN SCHEMA public WITH (publish_via_partition_root)",
    ],
)
async def test_a_sound_publication_passes(connection: psycopg.AsyncConnection, tables: str) -> None:
    await connection.execute("ALTER TABLE invoices ADD PRIMARY KEY (id)")
    await connection.execute(f"CREATE PUBLICATION p {tables}".encode())
    await check_publication(connection, "p", WANTED)


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ("FOR TABLE stays, clients", "publish_via_partition_root is off"),
        (
            "FOR TABLE stays, clients WITH (publish_via_partition_root, publish = 'insert, update')",
            "does not publish delete, truncate",
        ),
        ("FOR TABLE clients WITH (publish_via_partition_root)", "table stays is not in it"),
        ("FOR TABLE stays_1, clients WITH (publish_via_partition_root)", "table stays is not in it"),
        (
            "FOR TABLE stays, clients WHERE (id > 5) WITH (publish_via_partition_root)",
            "table clients has a row filter",
        ),
        (
            "FOR TABLE stays (id, hotel_id), clients WITH (publish_via_partition_root)",
            "table stays lacks columns status",
        ),
        (
            "FOR TABLE stays, clients, invoices WITH (publish_via_partition_root)",
            "public.invoices has no replica identity",
        ),
        ("FOR ALL TABLES WITH (publish_via_partition_root)", "public.invoices has no replica identity"),
    ],
)
async def test_a_fault_is_found(connection: psycopg.AsyncConnection, tables: str, fault: str) -> None:
    await connection.execute(f"CREATE PUBLICATION p {tables}".encode())
    with pytest.raises(PublicationFaultyError, match=fault) as caught:
        await check_publication(connection, "p", WANTED)
    assert str(caught.value).count(";") == 0


async def test_every_fault_is_told(connection: psycopg.AsyncConnection) -> None:
    await connection.execute(
        "CREATE PUBLICATION p FOR TABLE invoices WITH (publish_via_partition_root, publish = 'update')"
    )
    with pytest.raises(PublicationFaultyError) as caught:
        await check_publication(connection, "p", WANTED)
    assert str(caught.value).count(";") == 3


async def test_a_missing_publication_is_told_on_a_replication_connection(
    database: Database, connection: psycopg.AsyncConnection
) -> None:
    await connection.execute("CREATE PUBLICATION p FOR TABLE stays, clients WITH (publish_via_partition_root)")
    async with await ReplicationStream.connect(database.dsn, application="test") as stream:
        await check_publication(stream.connection, "p", WANTED)
        with pytest.raises(PublicationMissingError):
            await check_publication(stream.connection, "P", WANTED)
