"""Partitions of the attempts: made ahead, and dropped when old."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from outbox.delivery import partitions
from outbox.delivery.partitions import ATTEMPTS
from sql.partitions import today
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id
from tests.support.servers.databases import Database


async def test_partitions_are_made_ahead_and_old_ones_dropped(bench: Bench) -> None:
    conn = bench.documents.conn
    await partitions.maintain(bench.pool)
    now = await today(conn)
    for age in (13, 14, 15, 40):
        await ATTEMPTS.create(conn, now - timedelta(days=age))
    await conn.execute("create table booking_engine.attempt_20200101 (like booking_engine.attempt)")
    await asyncio.gather(*(partitions.maintain(bench.pool) for _ in range(3)))
    await partitions.maintain(bench.pool)
    found = await ATTEMPTS.partitions(conn)
    assert [partition.day - now for partition in found] == [timedelta(days=n) for n in (-14, -13, 0, 1, 2, 3)]
    assert all(partition.attached for partition in found)


async def test_an_old_partition_is_dropped_though_detaching_it_was_interrupted(
    bench: Bench, ours: Database
) -> None:
    conn = bench.documents.conn
    old = await today(conn) - timedelta(days=30)
    await ATTEMPTS.create(conn, old)
    async with await psycopg.AsyncConnection.connect(ours.dsn) as reader:
        await reader.execute("select count(*) from booking_engine.attempt")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await partitions.maintain(bench.pool)
        (left,) = [partition for partition in await ATTEMPTS.partitions(conn) if partition.day == old]
        assert left.detaching
        await reader.rollback()
    await partitions.maintain(bench.pool)
    assert old not in {partition.day for partition in await ATTEMPTS.partitions(conn)}


async def test_a_missing_partition_is_made_when_it_is_needed(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        for partition in await ATTEMPTS.partitions(bench.documents.conn):
            await ATTEMPTS.drop(bench.documents.conn, partition)
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
    assert await bench.count("attempt") == 1
    assert len(bench.receiver.accepted) == 1
