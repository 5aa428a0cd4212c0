"""The two PostgreSQL servers that the demo can run on: one of its own, or one of the user's."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from psycopg.conninfo import make_conninfo

from deploy.demo import visit, website
from deploy.demo.children import finish
from deploy.demo.progress import step
from deploy.embedded import EmbeddedServer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A database with a PMS in it.

    Attributes:
        dsn: As the owner of the PMS's tables.
        settings: Environment of `roomwire` commands.
        log: The server's log, where the demo can read it.
    """

    dsn: str
    settings: dict[str, str]
    log: Callable[[], str] | None = None


@asynccontextmanager
async def own() -> AsyncIterator[Place]:
    """A server of the demo's own in a temporary folder, with a new PMS; gone after the block."""
    server = await _in_thread(lambda: EmbeddedServer(durable=False))
    try:
        with step("starting PostgreSQL 18"):
            await _in_thread(server.start)
        dsn = server.dsn()
        await _furnish(dsn)
        capture, writer = (make_conninfo(dsn, user=role) for role in ("roomwire_capture", visit.WRITER))
        yield Place(dsn, _settings(capture, dsn, writer), lambda: server.log.read_text(errors="replace"))
    finally:
        await _in_thread(server.close)


@asynccontextmanager
async def yours(dsn: str) -> AsyncIterator[Place]:
    """A database of the user's; what Roomwire put there is removed after the block, the PMS stays.

    Raises:
        InTheWayError: Something has to be changed first; it says what.
        psycopg.Error: The database cannot be reached.
    """
    with step("looking at your PostgreSQL"):
        found = await visit.look(dsn)
    if not found.furnished:
        await _furnish(dsn)
    try:
        names = {"ROOMWIRE_SLOT": found.slot, "ROOMWIRE_PUBLICATION": visit.PUBLICATION}
        # A role that was there before keeps its password, which we do not know: then there is no API to try.
        password = secrets.token_urlsafe(24)
        writer = None if found.writer else make_conninfo(dsn, user=visit.WRITER, password=password)
        yield Place(dsn, _settings(dsn, dsn, writer) | names)
    finally:
        for line in await visit.leave(dsn, found):
            print(f"  {line}", flush=True)


async def _furnish(dsn: str) -> None:
    with step("opening three hotels with a year of bookings"):
        await finish("the installation of the PMS", ["deploy.pms", "install", "--dsn", dsn])


def _settings(capture: str, owner: str, writer: str | None) -> dict[str, str]:
    settings = {
        "ROOMWIRE_DSN": capture,
        "ROOMWIRE_OWNER_DSN": owner,
        "ROOMWIRE_SECRET_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ROOMWIRE_ALLOWED_NETWORKS": website.HOST,
        "ROOMWIRE_API_PORT": "0",
    }
    return settings | ({"ROOMWIRE_WRITER_DSN": writer} if writer else {})


async def _in_thread(work: Callable[[], T]) -> T:
    """Run work that blocks; if cancelled meanwhile, wait until it is done, so that it can be undone."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
