"""As much of Supabase as the example asks for: its roles, and the one function over HTTP as PostgREST calls it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Self

import psycopg
from aiohttp import web
from psycopg.errors import DuplicateObject
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from tests.support.mirror.state import Held, HeldNight, Mirror
from tests.support.nextjs.build import EXAMPLE
from tests.support.servers.databases import Database

_SCHEMA = EXAMPLE / "supabase" / "roomwire.sql"
_CALL = "select roomwire_keep(webhook_id => %s, documents => %s, ranges => %s, snapshot => %s)"


class Supabase:
    """A database with the example's tables behind an HTTP server; an asynchronous context manager.

    Attributes:
        key: the service role's.
        failing: how many of the next calls are lost after they were made: the answer is a 502.
        calls: those that were made.
    """

    def __init__(self, database: Database, schema: Path = _SCHEMA) -> None:
        self.key = "service-role-key"
        self.failing = 0
        self.calls = 0
        self._database = database
        self._runner: web.AppRunner | None = None
        self._pool: AsyncConnectionPool[Any] | None = None
        self._port = 0
        with database.connect() as conn:
            for role, wishes in {"anon": "", "authenticated": "", "service_role": "bypassrls"}.items():
                with contextlib.suppress(DuplicateObject), conn.transaction():
                    conn.execute(f"create role {role} nologin {wishes}".encode())
            conn.execute(schema.read_bytes())

    @property
    def url(self) -> str:
        """The project's address."""
        return f"http://127.0.0.1:{self._port}"

    def mirror(self) -> Mirror:
        """What is held, in the shape that is compared with the truth."""
        with self._database.connect() as conn:
            documents = conn.execute("select kind, hotel_id, id, version, body from roomwire_document").fetchall()
            nights = conn.execute(
                "select hotel_id, room_type_id, date::text, version, sellable, occupied, available"
                " from roomwire_night"
            ).fetchall()
        return Mirror(
            held={(kind, hotel, number): Held(version, body) for kind, hotel, number, version, body in documents},
            held_nights={(hotel, kind, day): HeldNight(*rest) for hotel, kind, day, *rest in nights},
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._database.connect() as conn:
            return conn.execute(query.encode()).fetchall()

    async def __aenter__(self) -> Self:
        self._pool = AsyncConnectionPool(
            self._database.dsn, min_size=1, max_size=8, configure=_as_service, open=False
        )
        await self._pool.open()
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/rest/v1/rpc/roomwire_keep", self._keep)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._pool is not None
        await self._runner.cleanup()
        await self._pool.close()

    async def _keep(self, request: web.Request) -> web.Response:
        if (
            request.headers.get("apikey") != self.key
            or request.headers.get("authorization") != f"Bearer {self.key}"
        ):
            return web.json_response({"message": "no key"}, status=401)
        asked = await request.json()
        given = (asked["webhook_id"], *(Jsonb(asked[name]) for name in ("documents", "ranges", "snapshot")))
        assert self._pool is not None
        try:
            async with self._pool.connection() as conn:
                row = await (await conn.execute(_CALL, given)).fetchone()
        except psycopg.Error as error:
            return web.json_response({"message": str(error)}, status=400)
        self.calls += 1
        if self.failing > 0:
            self.failing -= 1
            return web.Response(status=502)
        return web.json_response(row and row[0])


async def _as_service(conn: psycopg.AsyncConnection[Any]) -> None:
    await conn.execute("set role service_role")
    await conn.commit()
