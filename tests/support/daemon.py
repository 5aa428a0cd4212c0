"""Roomwire as its users run it: prepared by `roomwire setup`, started as a process, ended by signals."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, LiteralString, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from psycopg.conninfo import make_conninfo

from tests.support.mirror import Mirror, differences
from tests.support.processes import Forked, forked_command
from tests.support.servers.databases import Database
from tests.support.truth import truth

SECRET_KEY = "jZ2Nq0x3mVwJxQmJ4q9p8v3o0b5a7c1d2e3f4g5h6i8="
_LOOK_AGAIN = 0.05
_CAPTURED = """
    select not exists (select from booking_engine.dirty_scope)
        and (select end_lsn from booking_engine.checkpoint where slot = %s) >= %s::pg_lsn
"""
_SETTLED = f"""{_CAPTURED}
        and not exists (select from booking_engine.behind where rejected_at is null)
        and not exists (select from booking_engine.endpoint where fill_version is not null)
"""


def today() -> date:
    """The hotel-local day."""
    return datetime.now(ZoneInfo("Asia/Tokyo")).date()


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Roomwire:
    """Roomwire on one test's database.

    Attributes:
        database: the PMS's.
        settings: environment of every command, over the defaults of `environment`.
        forked: whether a command is spared the start of an interpreter.
        daemons: those that were started.
    """

    database: Database
    settings: dict[str, str] = field(default_factory=dict)
    forked: bool = True
    daemons: list[Daemon] = field(default_factory=list)

    @property
    def slot(self) -> str:
        """The slot's name, this test's own."""
        return self.database.slot("roomwire")

    @property
    def role(self) -> str:
        """The capture role's name, this test's own."""
        return f"{self.database.name}_capture"

    @property
    def writer(self) -> str:
        """The writer role's name, this test's own."""
        return f"{self.database.name}_writer"

    def environment(self) -> dict[str, str]:
        """The environment variables that a command runs with."""
        dsn = make_conninfo(self.database.dsn, user=self.role, password="capture")
        ours = {
            "ROOMWIRE_DSN": dsn,
            "ROOMWIRE_OWNER_DSN": self.database.dsn,
            "ROOMWIRE_WRITER_DSN": make_conninfo(self.database.dsn, user=self.writer, password="writer"),
            "ROOMWIRE_SECRET_KEYS": SECRET_KEY,
            "ROOMWIRE_ALLOWED_NETWORKS": "127.0.0.0/8",
            "ROOMWIRE_SLOT": self.slot,
            "ROOMWIRE_API_PORT": "0",
        }
        return {**os.environ, **ours, **self.settings}

    async def command(self, *words: str) -> str:
        """Run `roomwire …` to its end; returns what it printed.

        Raises:
            AssertionError: it failed; with what it said.
        """
        ended = await self.attempt(*words)
        assert ended.code == 0, ended.err
        return ended.out

    async def attempt(self, *words: str) -> Ended:
        """Run `roomwire …` to its end, whatever that is."""
        with TemporaryDirectory(prefix="roomwire-") as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            code = await (await self.start(words, out, err)).wait()
            return Ended(code, *await asyncio.to_thread(_texts, out, err))

    async def start(self, words: Sequence[str], out: Path, err: Path) -> Process | Forked:
        """Start `roomwire …`; what it says is appended to two files, or one."""
        if self.forked:
            return forked_command(words, self.environment(), out, err)
        with out.open("ab") as stdout, err.open("ab") as stderr:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "daemon", *words), env=self.environment(), stdout=stdout, stderr=stderr
            )

    async def add_key(self, *options: str, client: str = "engine") -> str:
        """Make an API key that may read, book and see guests; returns its text."""
        scopes = ("--scope", "read", "--scope", "book", "--scope", "guest-data")
        said = await self.command("key", "create", client, *(options or scopes))
        (found,) = re.findall(r"\brw_\w{50}\b", said)
        return str(found)

    async def add_endpoint(self, name: str, url: str, secret: str, *options: str) -> None:
        """Add an endpoint that gets guest data and no heartbeats."""
        await self.command(
            "endpoint", "add", name, url, "--secret", secret, "--guest-data", "--heartbeat-seconds", "0", *options
        )

    @asynccontextmanager
    async def running(self, *words: str) -> AsyncIterator[Daemon]:
        """`roomwire run` as a process, until the block ends."""
        with TemporaryDirectory(prefix="roomwire-") as folder:
            daemon = Daemon(self, words, Path(folder, "log"))
            self.daemons.append(daemon)
            await daemon.start()
            try:
                yield daemon
            finally:
                try:
                    await daemon.end()
                finally:
                    daemon.close()

    async def settled(self, seconds: float = 120.0) -> None:
        """Wait until everything that the PMS has committed by now is with every endpoint.

        Raises:
            AssertionError: it is not after so many seconds, or whoever would do it has failed; with what is left.
        """
        await self._reach(_SETTLED, seconds)

    async def captured(self, seconds: float = 120.0) -> None:
        """Wait until everything that the PMS has committed by now is in the documents, wherever the endpoints are.

        Raises:
            AssertionError: it is not after so many seconds; with what is left.
        """
        await self._reach(_CAPTURED, seconds)

    async def _reach(self, query: LiteralString, seconds: float) -> None:
        async with await psycopg.AsyncConnection.connect(self.database.dsn, autocommit=True) as conn:
            # A commit after the last one of the PMS: the checkpoint has to pass it. It names a key that no document
            # shows, because what names none moves the checkpoint only with the next beat.
            async with conn.transaction():
                await conn.execute(
                    "update clients set name = name where id = '11111111-1111-1111-1111-111111111111'"
                )
                row = await (await conn.execute("select pg_current_wal_insert_lsn()::text")).fetchone()
            assert row is not None

            async def reached() -> bool:
                found = await (await conn.execute(query, (self.slot, row[0]))).fetchone()
                if found and found[0]:
                    return True
                codes = [daemon.process.returncode for daemon in self.daemons if daemon.process]
                assert None in codes or 1 not in codes, f"nobody is left to do it: {await self._left(conn)}"
                return False

            if not await until(reached, seconds):
                raise AssertionError(f"not so far after {seconds} s: {await self._left(conn)}")

    async def _left(self, conn: psycopg.AsyncConnection[Any]) -> str:
        rows = []
        for table in ("checkpoint", "dirty_scope"):
            rows += await (await conn.execute(f"select * from booking_engine.{table}")).fetchall()
        rows += await (await conn.execute("select * from booking_engine.behind limit 5")).fetchall()
        return "\n".join([*map(str, rows), *(daemon.log() for daemon in self.daemons)])

    def wrong(self, mirror: Mirror) -> list[str]:
        """What a mirror has that the PMS says otherwise, and what it noticed while listening."""
        return differences(mirror, truth(self.database.dsn, today())) + [str(v) for v in mirror.violations]


class Daemon:
    """One `roomwire run`, which may be killed and started again."""

    def __init__(self, roomwire: Roomwire, words: Sequence[str], log: Path) -> None:
        self._roomwire = roomwire
        self._words = words
        self._log: Path | str = log
        self.process: Process | Forked | None = None

    async def start(self) -> None:
        """Start it."""
        assert isinstance(self._log, Path)
        self.process = await self._roomwire.start(["run", *self._words], self._log, self._log)

    async def kill(self) -> None:
        """End it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def end(self) -> int:
        """End it with SIGTERM; returns its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        try:
            async with asyncio.timeout(60):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            raise AssertionError(f"it did not stop:\n{self.log()}") from None

    def log(self) -> str:
        """What it has written to its log so far."""
        return self._log if isinstance(self._log, str) else self._log.read_text()

    def close(self) -> None:
        """Keep its log, whose file may go now."""
        self._log = self.log()

    async def api(self) -> str:
        """Wait until its HTTP server listens; returns the API's address."""
        await self.logged('"event": "serving"')
        line = next(line for line in reversed(self.log().splitlines()) if '"serving"' in line)
        return f"{json.loads(line)['addresses'][0]}/api/booking-engine"

    async def logged(self, words: str, seconds: float = 60.0) -> None:
        """Wait until its log holds these words."""

        async def there() -> bool:
            return words in self.log()

        assert await until(there, seconds), f"{words!r} is not in the log:\n{self.log()}"


async def until(true: Callable[[], Any], seconds: float) -> bool:
    """Look again and again until it is true; returns whether it became so in time."""
    deadline = time.monotonic() + seconds
    never = asyncio.Event()
    while not await true():
        if time.monotonic() > deadline:
            return False
        try:
            async with asyncio.timeout(_LOOK_AGAIN):
                await never.wait()
        except TimeoutError:
            continue
    return True


def _texts(*files: Path) -> list[str]:
    return [file.read_text() for file in files]
