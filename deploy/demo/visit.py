"""Being a guest in a PostgreSQL of the user's: look before touching anything, and tidy up on leaving."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

PUBLICATION = "roomwire_demo"
WRITER = "roomwire_writer"
OLDEST = 150000
_PATIENCE = 10.0


class InTheWayError(RuntimeError):
    """The demo cannot use this database as it is; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was there.

    Attributes:
        database: Its name.
        slot: Name of the slot that the demo uses there.
        furnished: Whether the demo's PMS is there already, from an earlier time.
        writer: Whether the role that `roomwire setup` makes was there.
    """

    database: str
    slot: str
    furnished: bool
    writer: bool


async def look(dsn: str) -> Found:
    """Find out whether the demo can run here, and clear away what a killed demo left.

    Raises:
        InTheWayError: It cannot.
        psycopg.Error: The database cannot be reached.
    """
    async with await _connect(dsn) as conn:
        await _check_server(conn)
        oid, database = await _one(conn, "SELECT oid, datname FROM pg_database WHERE datname = current_database()")
        slot = f"roomwire_demo_{oid}"
        furnished = await _check_tables(conn, database)
        await _check_roomwire(conn, database, slot)
        writer = await _true(conn, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", WRITER)
        return Found(database, slot, furnished, writer)


async def leave(dsn: str, found: Found) -> list[str]:
    """Remove what Roomwire put there; returns lines that say what is left."""
    try:
        async with await _connect(dsn) as conn:
            await _clear(conn, found.slot)
            if not found.writer:
                await _drop_writer(conn)
    except (psycopg.Error, TimeoutError) as error:
        why = " ".join(str(error).split()) or "its slot is still in use"
        return [
            f"Your database could not be tidied up: {why}.",
            f"Its slot keeps WAL until it is dropped: SELECT pg_drop_replication_slot('{found.slot}');",
        ]
    return [
        f"Removed from your database {found.database}: the slot, the publication, the schema booking_engine.",
        "Left in it: the invented PMS in schema public. The next demo there goes on with it; "
        f'DROP DATABASE "{found.database}" removes it.',
    ]


async def _check_server(conn: psycopg.AsyncConnection[Any]) -> None:
    if conn.info.server_version < OLDEST:
        raise InTheWayError(
            f"This server is PostgreSQL {conn.info.server_version // 10000}; the demo needs 15 or newer."
        )
    if not await _true(conn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        raise InTheWayError(f"{conn.info.user} is not a superuser: give --dsn a user that is.")
    (level,) = await _one(conn, "SHOW wal_level")
    if level != "logical":
        raise InTheWayError(
            f"wal_level is {level}: run ALTER SYSTEM SET wal_level = logical; and restart the server."
        )
    for setting, taken in (
        (
            "max_replication_slots",
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name NOT LIKE 'roomwire_demo%'",
        ),
        ("max_wal_senders", "SELECT count(*) FROM pg_stat_replication"),
    ):
        (number,) = await _one(conn, f"SELECT current_setting('{setting}')::int - ({taken})")
        if number < 1:
            raise InTheWayError(f"All {setting} are in use: raise that setting and restart the server.")


async def _check_tables(conn: psycopg.AsyncConnection[Any], database: str) -> bool:
    """Whether the demo's PMS is there; its users have invented addresses that no real PMS has."""
    if not await _true(conn, "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)"):
        return False
    if await _true(
        conn, "SELECT to_regclass('public.users') IS NOT NULL AND to_regclass('public.hotels') IS NOT NULL"
    ):
        users = "SELECT count(*) = 5 AND bool_and(email = 'user' || id || '@example.jp') FROM public.users"
        try:
            if await _true(conn, users):
                return True
        except psycopg.errors.UndefinedColumn:
            pass
    raise InTheWayError(
        f"The database {database} holds tables of yours, and the demo's staff would write into them. "
        "Make an empty one, CREATE DATABASE roomwire_demo; and give its DSN."
    )


async def _check_roomwire(conn: psycopg.AsyncConnection[Any], database: str, slot: str) -> None:
    if await _true(conn, "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s AND active)", slot):
        raise InTheWayError(f"Another demo is running on the database {database}: end that one first.")
    ours = await _true(conn, "SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = %s)", PUBLICATION)
    if ours:
        await _clear(conn, slot)
    elif await _true(conn, "SELECT to_regnamespace('booking_engine') IS NOT NULL"):
        raise InTheWayError(
            f"The database {database} has a Roomwire already (schema booking_engine). "
            "Make an empty one, CREATE DATABASE roomwire_demo; and give its DSN."
        )


async def _clear(conn: psycopg.AsyncConnection[Any], slot: str) -> None:
    """Remove the slot once nobody streams it any more, the schema, and last the publication, which marks them."""
    async with asyncio.timeout(_PATIENCE):
        while await _true(  # noqa: ASYNC110 - PostgreSQL has no event for it
            conn, "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s AND active)", slot
        ):
            await asyncio.sleep(0.05)
    await conn.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (slot,)
    )
    await conn.execute("DROP SCHEMA IF EXISTS booking_engine CASCADE")
    await conn.execute(SQL("DROP PUBLICATION IF EXISTS {}").format(Identifier(PUBLICATION)))


async def _drop_writer(conn: psycopg.AsyncConnection[Any]) -> None:
    if await _true(conn, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", WRITER):
        await conn.execute(SQL("DROP OWNED BY {0}").format(Identifier(WRITER)))
        await conn.execute(SQL("DROP ROLE {0}").format(Identifier(WRITER)))


async def _connect(dsn: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    return await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, application_name="roomwire demo", connect_timeout=10
    )


async def _one(conn: psycopg.AsyncConnection[Any], query: str, *params: object) -> tuple[Any, ...]:
    row = await (await conn.execute(query.encode(), params or None)).fetchone()
    assert row is not None
    return tuple(row)


async def _true(conn: psycopg.AsyncConnection[Any], query: str, *params: object) -> bool:
    return bool((await _one(conn, query, *params))[0])
