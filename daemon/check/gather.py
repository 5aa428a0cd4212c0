"""Asking the server, and the endpoints' machines, for what the checks judge. Changes nothing."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import psycopg
from psycopg import AsyncConnection

from daemon.check.clocks import LONG_SECONDS
from daemon.check.facts import ApiAccess, Essentials, Facts, Reached
from daemon.outbound import outbound
from daemon.replication import slot as slots
from daemon.replication.errors import ReplicationError
from daemon.replication.publication import check_publication
from daemon.replication.slot import SlotState
from daemon.settings import Settings
from outbox import endpoints
from outbox.delivery import reaching
from outbox.delivery.outbound import Outbound
from sql import check, checkpoint, migrate
from sql.check import Clock
from sql.endpoints import Overview, sealed
from sql.migrate import MigrationError
from sql.pms import clients, grants
from sql.pms.columns import READ
from sql.pms.tables import FOLLOWED
from sql.pool import connect

_PATIENCE = 3.0
_MEASURABLE = 0.5


async def gather_essentials(conn: AsyncConnection, settings: Settings) -> Essentials:
    """What `roomwire run` looks at before it leads: six short questions.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    return Essentials(
        settings=settings,
        server=await check.server(conn),
        schema=await check.schema(conn),
        tables=await check.tables(conn, READ),
        identities=await check.identities(conn, FOLLOWED),
        clock=await check.clock(conn, settings.time_zone),
        pending=await _pending(conn),
    )


async def gather(conn: AsyncConnection, settings: Settings, *, measure_seconds: float) -> Facts:
    """Everything that the checks look at; the log's growth is measured for so many seconds.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    essentials = await gather_essentials(conn, settings)
    room = await check.room(conn)
    reached = await _reach(conn, essentials)
    await asyncio.sleep(measure_seconds)
    asked = time.time()
    clock = await check.clock(conn, settings.time_zone)
    answered = time.time()
    state = await slots.inspect(conn, settings.slot)
    have_tables = _have_tables(essentials)
    return Facts(
        essentials=replace(essentials, clock=clock),
        room=room,
        slot=state,
        plugin=await _plugin(conn, settings, state),
        publication_fault=await _publication_fault(conn, settings.publication),
        checkpoint=await checkpoint.read(conn, settings.slot) if have_tables else None,
        wal_rate=room.wal_rate or _rate(essentials.clock, clock),
        skew=clock.now - (asked + answered) / 2 if clock else None,
        skew_error=(answered - asked) / 2,
        transactions=await check.transactions(conn, LONG_SECONDS),
        readable=have_tables,
        endpoints=reached,
        unread=await _unread(conn, settings) if have_tables else [],
        api=await _api(settings) if have_tables else ApiAccess(),
    )


async def _api(settings: Settings) -> ApiAccess:
    """Come in as the API would, and look whether its tables are open to it."""
    if settings.secret_keys is None or settings.writer_dsn is None:
        return ApiAccess(missing="ROOMWIRE_WRITER_DSN" if settings.writer_dsn is None else "ROOMWIRE_SECRET_KEYS")
    try:
        async with await connect(settings.writer_dsn.get_secret_value(), application="check") as conn:
            closed = await check.closed_tables(conn)
            withheld = await check.withheld(conn, grants.single())
            stranger = not withheld and not await check.user_exists(conn, settings.pms_user)
            no_hold = not withheld and not await clients.exists(conn, clients.HOLD)
    except psycopg.Error as error:
        return ApiAccess(error=" ".join(str(error).split()).rstrip("."))
    if closed:
        return ApiAccess(error=f"it may not read {', '.join(closed)}")
    return ApiAccess(
        error=f"it lacks {', '.join(withheld)}" if withheld else None, stranger=stranger, no_hold=no_hold
    )


async def _pending(conn: AsyncConnection) -> Sequence[str] | MigrationError:
    try:
        return await migrate.pending(conn)
    except MigrationError as error:
        return error
    except psycopg.errors.InsufficientPrivilege:
        return MigrationError("the role may not see which migrations have run")


def _have_tables(essentials: Essentials) -> bool:
    return essentials.schema.owned and not essentials.pending


async def _plugin(conn: AsyncConnection, settings: Settings, state: SlotState) -> str | ReplicationError:
    """What the slot is or will be read with; a plugin is tried by making a slot that is gone at once."""
    try:
        if state.plugin is None:
            return await slots.choose_plugin(conn, settings.plugin)
        if state.active_pid is None:
            return await slots.choose_plugin(conn, "pgoutput" if state.plugin == "pgoutput" else "wal2json")
    except ReplicationError as error:
        return error
    return state.plugin


async def _publication_fault(conn: AsyncConnection, name: str) -> ReplicationError | None:
    try:
        await check_publication(conn, name, FOLLOWED)
    except ReplicationError as error:
        return error
    return None


def _rate(before: Clock | None, after: Clock | None) -> float | None:
    """Bytes of log a second between two looks; None where they are too close, or there is no log."""
    if before is None or after is None or before.written is None or after.written is None:
        return None
    seconds = after.now - before.now
    return (after.written - before.written) / seconds if seconds >= _MEASURABLE else None


async def _reach(conn: AsyncConnection, essentials: Essentials) -> list[Reached]:
    if not _have_tables(essentials):
        return []
    sending = outbound(essentials.settings)
    listed = [found for found in await endpoints.overview(conn) if found.status != "disabled"]
    return list(await asyncio.gather(*(_connect(found, sending) for found in listed)))


async def _connect(found: Overview, sending: Outbound) -> Reached:
    there = reaching.place(found.url)
    error = None
    try:
        async with asyncio.timeout(_PATIENCE):
            await reaching.reach(found.url, sending, found.ca)
    except TimeoutError:
        error = f"no answer within {_PATIENCE:.0f} s"
    except OSError as reason:
        error = reason.strerror or str(reason)
    return Reached(found.name, f"{there.host}:{there.port}", error)


async def _unread(conn: AsyncConnection, settings: Settings) -> list[str]:
    """Names of the endpoints whose secrets cannot be read with what is set."""
    keys = outbound(settings).keys
    return [one.name for one in await sealed(conn) if keys is None or not keys.opens(one.stored)]
