"""A database with Roomwire's schema, someone who writes documents, and a numberer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, LiteralString

import psycopg
import pytest

from outbox.feed import Tail, maintain, number
from sql.migrate import script
from sql.pool import Pool, connect, make_pool
from tests.integration.delivery.documents import Documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template


@pytest.fixture
def ours(server: Server) -> Iterator[Database]:
    """A database with Roomwire's schema, and nothing in it."""

    def fill(connection: psycopg.Connection[Any]) -> None:
        connection.execute("create schema booking_engine")
        connection.execute(script())

    with fresh_database(server, template(server, "roomwire_feed", fill)) as database:
        yield database


@pytest.fixture
async def pool(ours: Database) -> AsyncIterator[Pool]:
    """As the numberer has it, with its partitions made."""
    async with make_pool(ours.dsn, application="feed", size=3, lock_timeout="5s") as pool:
        await maintain(pool, days=7)
        yield pool


@pytest.fixture
async def documents(ours: Database) -> AsyncIterator[Documents]:
    """Writes documents as the projector does."""
    async with await connect(ours.dsn, application="test documents") as conn:
        yield Documents(conn)


async def number_all(pool: Pool, tail: Tail | None = None) -> int:
    """Give a position to all that waits; returns the number of passes that found something."""
    tail, passes = tail or Tail(), 0
    while await number(pool, tail):
        passes += 1
    return passes


async def rows(pool: Pool, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
    """All rows of a question to the database."""
    async with pool.connection() as conn:
        return await (await conn.execute(query, values)).fetchall()


CHAINED: LiteralString = """
    select kind, hotel_id, id, versions, sinces, newest from (
        select e.kind, e.hotel_id, e.id, array_agg(e.version order by e.version) as versions,
            array_agg(e.since order by e.version) as sinces, d.version as newest
        from booking_engine.document d
        left join booking_engine.event e using (kind, hotel_id, id)
        where d.version > 0
        group by d.kind, d.hotel_id, d.id, e.kind, e.hotel_id, e.id
    ) told
    where sinces is distinct from 0::bigint || versions[:cardinality(versions) - 1]
        or versions[cardinality(versions)] is distinct from newest
"""
"""Keys whose events do not lead from nothing to their newest version, each beginning where the one before ended."""
