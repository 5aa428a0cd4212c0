"""Reading the feed costs what is read, however much there is."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import AsyncClientCursor
from psycopg.sql import SQL

from sql.pool import Pool
from sql.queries import load
from tests.integration.delivery.documents import Documents
from tests.integration.feed.conftest import number_all, rows

MANY = 20_000
QUERIES = load("feed.sql")


async def pages(pool: Pool, query: str, **given: Any) -> int:
    """How many pages a query of the feed touches."""
    async with pool.connection() as conn:
        cursor = AsyncClientCursor(conn)
        await cursor.execute(SQL("explain (analyze, buffers, timing off, format json) ") + QUERIES[query], given)
        row = await cursor.fetchone()
        assert row is not None
        plan = row[0][0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("analyzed", [False, True])
async def test_a_page_costs_what_is_on_it(pool: Pool, documents: Documents, *, analyzed: bool) -> None:
    await documents.bookings(7, MANY)
    await number_all(pool)
    if analyzed:
        async with pool.connection() as conn:
            await conn.execute("analyze booking_engine.event, booking_engine.document")
    ((first, last),) = await rows(pool, "select min(position), max(position) from booking_engine.event")
    asked = {"kinds": ["booking", "availability"], "hotels": None, "own": False, "limit": 50, "reach": 10_000}
    # A document takes about ten, of its index and its own; all of them lie on thousands.
    assert await pages(pool, "read", after=first, **asked) < 50 * 20
    assert await pages(pool, "read", after=last - 10, **asked) < 200
    assert await pages(pool, "read", after=last, **asked) < 60
    assert await pages(pool, "head") < 30
