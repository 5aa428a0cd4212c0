"""A small consumer of a stream, as the capture loop is one, and ways to wait for a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Never

import psycopg

from daemon.replication import frames, slot
from daemon.replication.changes import Commit, Event, Message, Row
from daemon.replication.errors import SlotActiveError
from daemon.replication.options import pgoutput_options, wal2json_options
from daemon.replication.pgoutput import PgoutputDecoder
from daemon.replication.stream import ReplicationStream
from daemon.replication.wal2json import Wal2jsonDecoder
from tests.support.servers.databases import Database

WANTED = {"stays": frozenset({"id", "note"})}
PREFIX = "roomwire"
OPTIONS = {"wal2json": wal2json_options([], PREFIX), "pgoutput": pgoutput_options(["stays"])}


@dataclass(slots=True)
class Consumer:
    """Reads whole transactions.

    Attributes:
        stream: where from.
        plugin: whose messages they are.
        keepalives: those seen, in order.
    """

    stream: ReplicationStream
    plugin: str
    keepalives: list[frames.Keepalive] = field(default_factory=list)
    _decoder: PgoutputDecoder | Wal2jsonDecoder = field(init=False)
    _rows: list[Row | Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._decoder = PgoutputDecoder(WANTED) if self.plugin == "pgoutput" else Wal2jsonDecoder(WANTED, {})

    async def events(self, most: int = 1000) -> list[Event]:
        """Wait for frames, and return what they say; keepalives are put aside."""
        events = []
        for data in await self.stream.read(most):
            frame = frames.parse(data)
            if isinstance(frame, frames.Keepalive):
                self.keepalives.append(frame)
            else:
                events.append(self._decoder.decode(frame.payload))
        return events

    async def transactions(self, most: int = 1000) -> AsyncIterator[tuple[list[Row | Message], Commit]]:
        """Yield each transaction that names something: its rows and messages, and its commit. Never ends."""
        while True:
            for event in await self.events(most):
                if isinstance(event, Row | Message):
                    self._rows.append(event)
                elif isinstance(event, Commit):
                    rows, self._rows = self._rows, []
                    if rows:
                        yield rows, event

    async def read_for_ever(self) -> Never:
        """Read until the stream ends."""
        while True:
            await self.events()

    async def next(self) -> tuple[list[Row | Message], Commit]:
        """Return one transaction; what was read beyond it is lost, so only for the last one."""
        async with asyncio.timeout(30):
            return await anext(self.transactions(most=1))


@asynccontextmanager
async def consuming(
    database: Database, plugin: str, lsn: int = 0, *, dsn: str | None = None, silence: float = 120
) -> AsyncIterator[Consumer]:
    """Stream the database's slot from a position on, once its last holder is gone."""
    async with await ReplicationStream.connect(dsn or database.dsn, application="test", silence=silence) as stream:
        async with asyncio.timeout(30):
            while True:
                try:
                    await stream.start(database.slot(), lsn, OPTIONS[plugin])
                    break
                except SlotActiveError:
                    await asyncio.sleep(0.02)
        yield Consumer(stream, plugin)


async def prepare(database: Database, plugin: Any) -> None:
    """Make a table, a publication of it, and the slot."""
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
        await connection.execute("CREATE TABLE stays (id int PRIMARY KEY, note text)")
        await connection.execute("CREATE PUBLICATION stays FOR TABLE stays")
        await slot.create(connection, database.slot(), plugin)


def commit(connection: psycopg.Connection, first: int, last: int | None = None, note: str = "n") -> None:
    """Insert stays, in one transaction."""
    connection.execute(
        "INSERT INTO stays SELECT n, %s FROM generate_series(%s::int, %s::int) AS n",
        [note, first, first if last is None else last],
    )


def ids(events: Iterable[Event]) -> list[int]:
    """Return the ids of the rows among the events."""
    return [int(row.values["id"] or 0) for row in events if isinstance(row, Row)]


async def until(connection: psycopg.Connection, query: str, parameters: Any, true: Callable[[Any], bool]) -> Any:
    """Ask the server again and again, the event loop running meanwhile, until the first value is as wished."""
    async with asyncio.timeout(30):
        while True:
            row = connection.execute(query.encode(), parameters).fetchone()
            if row is not None and true(row[0]):
                return row[0]
            await asyncio.sleep(0.02)
