"""Pipelines in which what is said goes out together, once somebody waits for an answer.

Psycopg sends each statement of a pipeline by itself, and looks each time whether something has come back: that
costs us and the server more than most of our statements do.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Self

from psycopg import AsyncConnection, AsyncCursor, AsyncPipeline
from psycopg._queries import PostgresQuery, _query2pg_nocache
from psycopg.abc import Params, PQGen
from psycopg.adapt import Transformer
from psycopg.generators import send
from psycopg.rows import Row

_apart = lru_cache(_query2pg_nocache)


class _Known(PostgresQuery):
    """Takes apart once what is said again and again: psycopg does so each time with what is long."""

    __slots__ = ()

    def convert(self, query: Any, vars: Params | None) -> None:
        if not isinstance(vars, dict):
            super().convert(query, vars)
            return
        self.query, formats, order, _ = _apart(self._ensure_bytes(query), self._tx.encoding)
        self.params = self._tx.dump_sequence([vars[name] for name in order or ()], formats)
        self.types, self.formats = self._tx.types or (), self._tx.formats


class _Patient(AsyncCursor[Row]):
    """Within a pipeline, lets what it executes wait for whatever is asked for next, by a Sync.

    Psycopg would ask by a Flush. After that the server takes us to be still talking: no clock of its own then runs
    until we go on, and where we are suspended what is locked stays so. After a Sync it is idle in transaction, and
    ends that in time.
    """

    _query_cls = _Known

    async def execute(self, query: Any, params: Params | None = None, **wishes: Any) -> Self:
        if self._conn._pipeline is None:
            return await super().execute(query, params, **wishes)
        self._reset()
        self._tx = Transformer(self)
        for generator in (
            self._maybe_prepare_gen(self._convert_query(query, params), **wishes),
            self._conn._prepared.maintain_gen(self._conn),
        ):
            for _ in generator:
                raise AssertionError("a pipeline waits for nothing before it is asked")
        return self

    async def _fetch_pipeline(self) -> None:
        if self.pgresult is None and self._conn._pipeline is not None:
            await self._conn._pipeline.sync()


class _Together(AsyncPipeline):
    """Sends all that was said and a Sync, then takes every answer.

    Psycopg's own waits for answers even where the socket has not taken everything, while the server waits for the
    rest of a statement of some hundred kilobytes. And at its end, what was not done for want of what failed before
    can take the place of that error.
    """

    def _sync_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        while self.command_queue:
            self.command_queue.popleft()()
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)

    _exit_gen = _sync_gen


@asynccontextmanager
async def pipelined(conn: AsyncConnection) -> AsyncIterator[None]:
    """Make a pipeline of the block: it is sent whenever an answer is waited for, and at the end.

    Raises:
        psycopg.Error: the first of what was said that failed; the server did nothing of what followed it.
    """
    usual, conn.cursor_factory = conn.cursor_factory, _Patient
    conn._pipeline = _Together(conn)
    try:
        async with conn.pipeline():
            yield
    finally:
        conn.cursor_factory = usual
