"""The API as booking engines call it: the real application behind a socket, on one test's PMS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, LiteralString
from uuid import uuid4

import aiohttp
import orjson
import psycopg
from aiohttp import web
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from api.access import issue
from api.app import make_app
from api.context import Context, Options, build
from api.operations import Operations, Readiness
from api.request.problems import BASE
from api.request.server import Runner
from daemon.serving import api_pool, background, checks_pool
from deploy.pms import install
from outbox.secrets import Secrets
from sql import migrate, setup
from sql.pool import connect
from sql.setup import Wanted
from tests.integration.projection.house import prepare
from tests.support.daemon import SECRET_KEY, today
from tests.support.servers import Server
from tests.support.servers.databases import Database, template

WRITER = "api_writer"
BACKGROUND = {"sweep_failed", "journal_waits"}
"""What the sweeper of holds and the journal say for themselves, on their own clocks, where the database is busy."""
_PASSWORD = "writer"
_MINE = "the default key"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the API answered. body: the JSON, None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any
    raw: bytes

    @property
    def code(self) -> str | None:
        """The problem's code."""
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass
class Api:
    """One test's API.

    Attributes:
        database: the PMS's, with documents in step.
        context: what its handlers work with.
        url: where the paths of its routes begin.
        http: a client of its own.
        desk: a session of the database's superuser, in autocommit: staff at the PMS, and the test's own look.
        mine: the key that calls are made with unless told otherwise: every hotel, read, book and guest-data.
    """

    database: Database
    context: Context
    url: str
    http: aiohttp.ClientSession
    desk: psycopg.AsyncConnection[Any]
    mine: str = field(repr=False, default="")

    async def key(self, *, client: str = "engine", **wishes: Any) -> str:
        """Make a key; wishes are those of `issue.Wanted`."""
        given: dict[str, Any] = {
            "scopes": ("read", "book", "guest-data"),
            "requests_per_minute": 1_000_000,
        } | wishes
        return (await issue.create(self.desk, issue.Wanted(client, **given))).text

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = _MINE,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> Answered:
        """Make a request. path: below `url`, or from `/` of the server where it begins with `//`.

        A write has an Idempotency-Key of its own unless `headers` give one; an empty one is none.
        """
        sent = {"Idempotency-Key": str(uuid4())} if method not in {"GET", "HEAD"} else {}
        sent |= headers or {}
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {self.mine if key is _MINE else key}")
        if json is not None:
            data = orjson.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        address = self.url.removesuffix(BASE) + path[1:] if path.startswith("//") else self.url + path
        query = {name: str(value) for name, value in params.items()}
        async with self.http.request(method, address, data=data, headers=sent, params=query) as answer:
            raw = await answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return Answered(answer.status, answer.headers, orjson.loads(raw) if raw and is_json else None, raw)

    async def get(self, path: str, **wishes: Any) -> Answered:
        """`call` with GET."""
        return await self.call("GET", path, **wishes)

    async def post(self, path: str, json: Any = None, **wishes: Any) -> Answered:
        """`call` with POST."""
        return await self.call("POST", path, json=json, **wishes)

    async def put(self, path: str, json: Any = None, **wishes: Any) -> Answered:
        """`call` with PUT."""
        return await self.call("PUT", path, json=json, **wishes)

    async def rows(self, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a question to the database."""
        return await (await self.desk.execute(query, values)).fetchall()

    async def value(self, query: LiteralString, *values: Any) -> Any:
        """The first column of the first row."""
        rows = await self.rows(query, *values)
        return rows[0][0] if rows else None

    async def project(self) -> None:
        """Bring all documents in step with the PMS again, as the change stream would."""
        await prepare(self.database.dsn, today())

    @staticmethod
    def day(ahead: int) -> date:
        """So many days after the hotels' today."""
        return today() + timedelta(days=ahead)


def same(one: Answered, other: Answered) -> bool:
    """Whether two answers say the same, but for the request's id."""
    return one.status == other.status and {**one.body, "request_id": ""} == {**other.body, "request_id": ""}


def template_with_documents(server: Server, *, hotels: int = 2, days: int = 30) -> str:
    """A database for copying: a PMS, set up as `roomwire setup` does, with documents in step."""
    day = today()
    name = f"api_{hotels}_{days}_{day:%Y%m%d}"

    def fill(connection: psycopg.Connection[Any]) -> None:
        install(connection, seed=1, hotels=hotels, days=days, today=day)
        asyncio.run(_set_up(server.dsn(f"{name}_draft"), day))

    return template(server, name, fill)


async def _set_up(dsn: str, day: date) -> None:
    async with await connect(dsn, application="test", statement_timeout="0") as conn:
        wanted = Wanted(
            database=conn.info.dbname,
            capture=conn.info.user,
            publication="roomwire",
            writer=WRITER,
            writer_password=_PASSWORD,
        )
        for step in await setup.statements(conn, wanted):
            await conn.execute(step.statement)
        await migrate.migrate(conn)
        for grant in setup.grants(WRITER):
            await conn.execute(grant)
    await prepare(dsn, day)


@asynccontextmanager
async def running_api(
    database: Database,
    *,
    options: Options | None = None,
    secrets: str = SECRET_KEY,
    through: Mapping[str, str | int] | None = None,
) -> AsyncIterator[Api]:
    """The API on a copy of `template_with_documents`, behind a socket of its own, as fresh as can be.

    through: words of a conninfo by which its sessions reach the server.
    """
    dsn = make_conninfo(database.dsn, **{"user": WRITER, "password": _PASSWORD} | dict(through or {}))
    async with (
        await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as desk,
        api_pool(dsn, 2) as pool,
        checks_pool(dsn) as checks,
    ):
        await _may_connect(desk, database)
        context = build(pool, pool, checks, Secrets(secrets.split(",")), options or Options())
        async with background(context), _served(context) as url, aiohttp.ClientSession() as http:
            api = Api(database, context, url, http, desk)
            yield replace(api, mine=await api.key())


async def _may_connect(desk: psycopg.AsyncConnection[Any], database: Database) -> None:
    """What is granted on the database itself is not copied with a template, nor is there a checkpoint."""
    await desk.execute(
        SQL("grant connect on database {} to {}").format(Identifier(database.name), Identifier(WRITER))
    )
    await desk.execute(
        "insert into booking_engine.checkpoint (slot, system_id, timeline, end_lsn, committed_at, horizon)"
        " values ('roomwire', '1', 1, '0/0', clock_timestamp(), %s)"
        " on conflict do nothing",
        [today()],
    )


@asynccontextmanager
async def _served(context: Context) -> AsyncIterator[str]:
    async def ready() -> Readiness:
        return Readiness(ready=True, said={})

    async def metrics() -> tuple[bytes, str]:
        return b"", "text/plain"

    runner = Runner(make_app(Operations(ready, metrics), context))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port, *_ = runner.addresses[0]
        yield f"http://{host}:{port}{BASE}"
    finally:
        await runner.cleanup()
