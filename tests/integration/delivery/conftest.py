"""A database with Roomwire's schema, a receiver, and workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession

from outbox import endpoints, signing
from outbox.delivery.connecting import Guard
from outbox.delivery.line import open_session
from outbox.delivery.outbound import Outbound
from outbox.delivery.pump import Timing
from outbox.delivery.worker import run_delivery
from outbox.secrets import Secrets, new_secret_key
from outbox.settings import Settings
from sql import delivery
from sql.migrate import script
from sql.pool import Pool, connect, make_pool
from tests.integration.delivery.documents import Documents
from tests.integration.delivery.receiver import Receiver
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template

LOOPBACK = (ip_network("127.0.0.0/8"),)
OUTBOUND = Outbound(Secrets([new_secret_key()]), LOOPBACK)
"""Receivers listen here, which is nowhere that messages go unless it is allowed."""
QUICK = Timing(lease=4.0, send=2.0, connect=1.0, poll=0.1, drain=5.0)


@pytest.fixture
def ours(server: Server) -> Iterator[Database]:
    """A database with Roomwire's schema, of a PMS that has been read: first syncs wait for that."""

    def fill(connection: psycopg.Connection[Any]) -> None:
        connection.execute("create schema booking_engine")
        connection.execute(script())
        connection.execute(
            "insert into booking_engine.checkpoint (slot, system_id, timeline, end_lsn)"
            " values ('read', '1', 1, '0/0')"
        )

    with fresh_database(server, template(server, "roomwire_delivery", fill)) as database:
        yield database


@pytest.fixture
async def pool(ours: Database) -> AsyncIterator[Pool]:
    async with make_pool(ours.dsn, application="test", size=8, **delivery.SESSION) as pool:
        yield pool


@pytest.fixture
async def documents(ours: Database) -> AsyncIterator[Documents]:
    async with await connect(ours.dsn, application="test documents") as conn:
        yield Documents(conn)


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """Connections as a worker keeps them, to this machine too."""
    async with open_session(Guard(LOOPBACK, encrypted=True), connect=5) as session:
        yield session


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(signing.new_secret()) as receiver:
        yield receiver


@dataclass
class Bench:
    """What a test of delivery works with."""

    pool: Pool
    documents: Documents
    receiver: Receiver
    outbound: Outbound = OUTBOUND
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def endpoint(self, name: str = "engine", *, to: Receiver | None = None, **wishes: Any) -> int:
        """Add an endpoint that points to the receiver; no heartbeats unless asked for."""
        to = to or self.receiver
        given: dict[str, Any] = {"heartbeat_seconds": 0, "secret": to._secret, "url": to.url} | wishes
        return await endpoints.add(self.documents.conn, Settings(name, **given), self.outbound)

    @asynccontextmanager
    async def delivering(self, timing: Timing = QUICK) -> AsyncIterator[asyncio.Task[None]]:
        """Run a worker meanwhile; it must end by itself and without error when asked to."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            worker = tasks.create_task(
                run_delivery(self.pool, self.outbound, wake=self.wake, stop=stop, timing=timing)
            )
            try:
                yield worker
            finally:
                stop.set()

    async def idle(self, *, rejected: int = 0, seconds: float = 60) -> None:
        """Wait until nothing is left to deliver but `rejected` keys."""

        async def done() -> bool:
            unfilled = await self.count("endpoint where fill_version is not null")
            return unfilled == 0 and await self.count("behind") == rejected

        await eventually(done, seconds)

    async def outlive(self, lease: float, *, workers: int) -> None:
        """Wait until all of so many workers have renewed a lease of so many seconds, and it would have ended."""

        async def all_are_there() -> bool:
            return await self.count("worker") == workers

        await eventually(all_are_there)
        (end,) = (await self.rows("select max(until) from booking_engine.worker"))[0]

        async def all_went_on() -> bool:
            (least,) = (await self.rows("select min(until) from booking_engine.worker"))[0]
            return bool(least > end + timedelta(seconds=lease))

        await eventually(all_went_on)

    async def count(self, what: str) -> int:
        """Number of rows in one of our tables, with a condition if need be."""
        return int(await self.documents.value(f"select count(*) from booking_engine.{what}"))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return await (await self.documents.conn.execute(query)).fetchall()


@pytest.fixture
def bench(pool: Pool, documents: Documents, receiver: Receiver) -> Bench:
    return Bench(pool, documents, receiver)


async def eventually(check: Callable[[], Awaitable[bool]], limit: float = 60) -> None:
    """Look until it is so."""
    async with asyncio.timeout(limit):
        while not await check():  # noqa: ASYNC110  # rows set no event
            await asyncio.sleep(0.02)
