"""The replication slot: choosing its plugin, making it, looking at it, dropping it.

The functions take an ordinary connection in autocommit, or a replication connection that does not stream yet.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.rows import dict_row

from daemon.replication.errors import (
    NotPermittedError,
    PluginMissingError,
    PluginRefusedError,
    ReplicationError,
    SlotElsewhereError,
    SlotLostError,
    SlotWaitingError,
    WalLevelError,
)
from daemon.replication.failures import command_failed
from sql.queries import load

Connection = psycopg.AsyncConnection[Any]
Plugin = Literal["wal2json", "pgoutput"]

_QUERIES = load(str(Path(__file__).with_name("slot.sql")))
_FAILOVER_SINCE = 170_000


@dataclass(frozen=True, slots=True)
class SlotState:
    """What the server says of a slot.

    Attributes:
        exists: there is a slot of that name; if not, nothing else is set.
        here: it is a logical slot of this database.
        plugin: its output plugin.
        active_pid: who streams it.
        confirmed_flush_lsn: the position last confirmed.
        restart_lsn: the oldest log that it keeps.
        wal_status: reserved, extended, unreserved, or lost.
        invalidation_reason: why its changes are gone (PostgreSQL 16 and later).
        safe_wal_size: bytes of log that may be written before it is in danger; None means no limit.
        failover: it is copied to standbys.
    """

    exists: bool
    here: bool = False
    plugin: str | None = None
    active_pid: int | None = None
    confirmed_flush_lsn: int | None = None
    restart_lsn: int | None = None
    wal_status: str | None = None
    invalidation_reason: str | None = None
    safe_wal_size: int | None = None
    failover: bool = False

    @property
    def lost(self) -> bool:
        """Its changes are gone: it can only be dropped."""
        return self.exists and (self.wal_status == "lost" or self.invalidation_reason is not None)


@dataclass(frozen=True, slots=True)
class ServerState:
    """What replication needs to know of the server.

    Attributes:
        version: server_version_num, such as 150018.
        wal_level: replica, logical, ….
        encoding: of the database.
        standby: it is in recovery.
        may_replicate: this role may.
    """

    version: int
    wal_level: str
    encoding: str
    standby: bool
    may_replicate: bool


async def inspect(connection: Connection, name: str) -> SlotState:
    """Look at a slot.

    Raises:
        ReplicationError: the server cannot be asked.
    """
    row = await ask(connection, "slot", slot=name)
    return SlotState(exists=False) if row is None else SlotState(exists=True, **row)


async def check_server(connection: Connection) -> ServerState:
    """Make sure that this role can decode this database.

    Raises:
        WalLevelError: the server does not log enough.
        NotPermittedError: the role has no REPLICATION.
        ReplicationError: the server cannot be asked.
    """
    row = await ask(connection, "server")
    if row is None:
        raise ReplicationError("The server described itself with no row")
    server = ServerState(**row)
    if server.wal_level != "logical":
        raise WalLevelError(f"wal_level is {server.wal_level}")
    if not server.may_replicate:
        raise NotPermittedError("The role does not have REPLICATION")
    return server


async def choose_plugin(connection: Connection, wish: Literal["auto"] | Plugin) -> Plugin:
    """Decide on the plugin of a slot to be made: with `auto`, wal2json where it works, else pgoutput.

    wal2json writes the database's encoding, whatever the client asks for: in another than UTF-8, pgoutput.

    Raises:
        PluginMissingError: the plugin wished for does not work here.
        ReplicationError: no slot can be made at all.
    """
    server = await check_server(connection)
    if wish == "pgoutput":
        return wish
    if server.encoding != "UTF8":
        if wish == "wal2json":
            raise PluginMissingError(f"wal2json needs a database in UTF8, this one is in {server.encoding}")
        return "pgoutput"
    try:
        await _probe(connection, "wal2json")
    except PluginMissingError:
        if wish == "wal2json":
            raise
        return "pgoutput"
    return "wal2json"


async def create(connection: Connection, name: str, plugin: Plugin) -> int:
    """Create the permanent slot, one that standbys copy where the server can (PostgreSQL 17 and later).

    It waits for the transactions that are open: what they change is either in the stream, or visible to
    whoever looks afterwards.

    Returns:
        The LSN from which on changes are in the stream.

    Raises:
        SlotWaitingError: statement_timeout was over before the transactions were.
        ReplicationError: the server refuses.
    """
    server = await check_server(connection)
    failover = server.version >= _FAILOVER_SINCE and not server.standby
    try:
        row = await ask(connection, "create_failover" if failover else "create", slot=name, plugin=plugin)
    except NotPermittedError as error:
        raise _plugin_refused(plugin) from error
    if row is None:
        raise ReplicationError("The server created a slot without a position")
    return int(row["lsn"])


async def drop(connection: Connection, name: str) -> None:
    """Drop the slot.

    Raises:
        SlotActiveError: somebody streams it.
        SlotMissingError: there is none.
    """
    await ask(connection, "drop", slot=name)


async def sender_timeout(connection: Connection) -> float:
    """Return the server's wal_sender_timeout in seconds; infinity when it is off."""
    row = await ask(connection, "sender_timeout")
    return float(row["seconds"]) if row is not None and row["seconds"] else float("inf")


async def why_refused(connection: Connection, name: str, error: psycopg.Error) -> ReplicationError:
    """Explain why START_REPLICATION failed, asking the server where the SQLSTATE alone does not tell."""
    failure = command_failed(error)
    if error.sqlstate not in ("55000", "42501"):
        return failure
    try:
        await check_server(connection)
        state = await inspect(connection, name)
    except ReplicationError as reason:
        return reason
    if error.sqlstate == "42501":
        return _plugin_refused(state.plugin)
    if not state.here:
        return SlotElsewhereError(f"Slot {name} is not a logical slot of this database")
    if state.lost:
        return SlotLostError(f"Slot {name} is lost ({state.invalidation_reason or state.wal_status})")
    return failure


def _plugin_refused(plugin: str | None) -> PluginRefusedError:
    # The role was seen to have REPLICATION: what is left to forbid is the plugin.
    return PluginRefusedError(f"The server does not admit the output plugin {plugin}")


async def _probe(connection: Connection, plugin: Plugin) -> None:
    """Make a temporary slot; it need not become ready, which might take as long as somebody's transaction."""
    await ask(connection, "limit_time")
    try:
        await ask(connection, "probe", plugin=plugin)
        await ask(connection, "drop_probe")
    except SlotWaitingError:
        return
    except NotPermittedError as error:
        raise _plugin_refused(plugin) from error
    finally:
        await ask(connection, "unlimit_time")


async def ask(connection: Connection, query: str, **parameters: object) -> dict[str, Any] | None:
    """Run a query of `slot.sql` and return its first row.

    Raises:
        ReplicationError: the server refuses, or cannot be asked.
    """
    rows = await ask_all(connection, query, **parameters)
    return rows[0] if rows else None


async def ask_all(connection: Connection, query: str, **parameters: object) -> list[dict[str, Any]]:
    """Run a query of `slot.sql` and return its rows.

    Raises:
        ReplicationError: the server refuses, or cannot be asked.
    """
    try:
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_QUERIES[query], parameters)
            return await cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise command_failed(error) from error
