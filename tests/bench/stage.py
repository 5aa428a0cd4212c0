"""Where benchmarks run: durable servers on disk, a PMS on them, and Roomwire prepared for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

import psycopg

from deploy.embedded import EmbeddedServer, wheel_binaries
from deploy.pms import install
from tests.support.daemon import Daemon, Roomwire, today, until
from tests.support.servers import PG15, PG18, Kind
from tests.support.servers.databases import Database, fresh_database, template
from tests.support.servers.local import DEBIAN, LocalServer

SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "max_connections": "200",
}
"""What a server of this size would have; checkpoints do not fall into a measurement by chance."""


@dataclass(frozen=True, slots=True)
class Kit:
    """A PostgreSQL and the plugin that Roomwire reads it by."""

    kind: Kind
    plugin: str

    @property
    def name(self) -> str:
        """As the command line and the tables call it."""
        return f"{self.kind.name}-{self.plugin}"


KITS = {kit.name: kit for kit in (Kit(PG15, "wal2json"), Kit(PG15, "pgoutput"), Kit(PG18, "pgoutput"))}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: `quick` is for finding faults, not for figures."""

    quick: bool

    def of(self, whole: int, quick: int) -> int:
        """The one or the other."""
        return quick if self.quick else whole


class DiskServer(LocalServer):
    """A server that flushes, in a folder on disk."""

    def __init__(self, kind: Kind, folder: Path | None) -> None:
        self.programs = DEBIAN / "bin" if kind is PG15 else wheel_binaries()
        EmbeddedServer.__init__(
            self, self.programs, scratch=folder, tcp=True, durable=True, settings=SETTINGS, patience=120
        )
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Stage:
    """A running server with a plugin, and what is said while it is used."""

    kit: Kit
    server: DiskServer
    scale: Scale
    say: Callable[[str], None]

    @property
    def name(self) -> str:
        """As the tables call it."""
        return self.kit.name

    def program(self, name: str) -> str:
        """The path of a program that came with this PostgreSQL."""
        return str(self.server.programs / name)

    @asynccontextmanager
    async def roomwire(
        self, *, chain: bool = False, prepare: Callable[[Database], None] | None = None
    ) -> AsyncIterator[Roomwire]:
        """Set Roomwire up on a new PMS of three hotels, or of a chain of ten; `prepare` changes the PMS before."""
        hotels, days = (10, 330) if chain and not self.scale.quick else (3, 120)
        fill = partial(_fill, hotels=hotels, days=days)
        source = await asyncio.to_thread(template, self.server, f"pms_{hotels}_{days}", fill)
        with fresh_database(self.server, source) as database:
            if prepare is not None:
                await asyncio.to_thread(prepare, database)
            settings = {"ROOMWIRE_PLUGIN": self.kit.plugin, "ROOMWIRE_LOG_LEVEL": "warning"}
            ready = Roomwire(database, settings, forked=False)
            await ready.command("setup")
            yield ready


@contextmanager
def raised(kit: Kit, folder: Path | None, scale: Scale, say: Callable[[str], None]) -> Iterator[Stage]:
    """Run a server for a kit until the block ends."""
    with DiskServer(kit.kind, folder) as server:
        yield Stage(kit, server, scale, say)


def _fill(conn: psycopg.Connection, *, hotels: int, days: int) -> None:
    install(conn, seed=1, hotels=hotels, days=days, today=today())
    conn.execute(files("tests.bench").joinpath("workload.sql").read_bytes())


async def caught_up(roomwire: Roomwire, lsn: int, seconds: float = 900.0) -> None:
    """Wait until the checkpoint covers a position and no durable work is left.

    Raises:
        AssertionError: it does not in time; with the daemon's log.
    """
    question = (
        "select coalesce(bool_or(end_lsn >= '0/0'::pg_lsn + %s), false)"
        " and not exists (select from booking_engine.dirty_scope) from booking_engine.checkpoint"
    )
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:

        async def covered() -> bool:
            row = await (await conn.execute(question, (lsn,))).fetchone()
            return bool(row and row[0])

        if not await until(covered, seconds):
            raise AssertionError(
                "\n".join([f"not caught up in {seconds:g} s", *(d.log() for d in roomwire.daemons)])
            )


def position(conn: psycopg.Connection[tuple[object, ...]]) -> int:
    """Change a hotel, and return a position that the checkpoint passes with that change and not before."""
    with conn.transaction():
        conn.execute("update hotels set sort_order = sort_order + 1 where id = 1")
        row = conn.execute("select (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
    assert row is not None
    return int(str(row[0]))


async def first_sync(roomwire: Roomwire) -> None:
    """Let capture compute all documents, then end."""
    with roomwire.database.connect() as conn:
        lsn = position(conn)
    async with roomwire.running("--only", "capture"):
        await caught_up(roomwire, lsn)


def pid_of(daemon: Daemon) -> int:
    """The process id of a running daemon."""
    assert daemon.process is not None
    return daemon.process.pid
