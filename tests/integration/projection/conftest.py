"""A PMS with Roomwire's documents in step with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.pms import install
from sql.migrate import script
from sql.pms.tables import FOLLOWED
from sql.projection import Frame
from tests.integration.projection.house import House, prepare, session
from tests.support.daemon import today
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template


@pytest.fixture
def in_step(server: Server) -> Iterator[Database]:
    """A small PMS, Roomwire's schema, and documents that say what the PMS says."""
    day = today()
    name = f"projected_{day:%Y%m%d}"

    def fill(connection: psycopg.Connection[Any]) -> None:
        install(connection, seed=1, hotels=2, days=8, today=day)
        connection.execute("create schema booking_engine")
        connection.execute(script())
        tables = sql.SQL(", ").join(sql.Identifier("public", table) for table in FOLLOWED)
        publication = sql.SQL("create publication roomwire for table {} with (publish_via_partition_root = true)")
        connection.execute(publication.format(tables))
        connection.commit()
        asyncio.run(prepare(server.dsn(f"{name}_draft"), day))

    with fresh_database(server, template(server, name, fill)) as database:
        yield database


@pytest.fixture
async def house(in_step: Database) -> AsyncIterator[House]:
    """Such a PMS, with its change stream from now on."""
    conn = await session(in_step)
    desk = await psycopg.AsyncConnection.connect(in_step.dsn, autocommit=True)
    async with conn, desk:
        house = House(in_step, conn, desk, Frame(today=today(), agent="roomwire"), in_step.slot())
        await house.listen()
        yield house


@pytest.fixture(params=["one by one", "resync"])
def batches(request: pytest.FixtureRequest) -> str:
    """How what staff do is heard of; "resync": not at all, everything is compared afterwards."""
    found: str = request.param
    return found
