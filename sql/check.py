"""What `roomwire check` asks the server: facts without judgement. Sizes in bytes, times in seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from psycopg import AsyncConnection
from psycopg.errors import InvalidParameterValue
from psycopg.rows import class_row

from sql.pms.tables import SCHEMA
from sql.queries import load

T = TypeVar("T")
_QUERIES = load("check.sql")


@dataclass(frozen=True, slots=True)
class Server:
    """The server, and our role there; version as in server_version_num, such as 150018."""

    version: int
    wal_level: str
    in_recovery: bool
    database: str
    role: str
    may_replicate: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema `booking_engine`: owned means that this role may do there what its owner may."""

    role: str
    present: bool
    owner: str | None
    owned: bool
    sees_public: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One of the PMS's tables; hidden: columns that this role may not read."""

    name: str
    present: bool
    columns: list[str]
    hidden: list[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """What the log tells of a deleted row: these columns, in so many relations of a root table."""

    root: str
    told: list[str]
    relations: int
    example: str


@dataclass(frozen=True, slots=True)
class Room:
    """What there is room for. None: no limit; wal_rate: bytes a second over hours, None where none have passed."""

    slots_used: int
    slots: int
    senders_used: int
    senders: int
    keep_size: int | None
    max_wal_size: int
    idle_timeout: float | None
    wal_rate: float | None
    synchronous: str


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's clock (seconds since 1970), its log's end, and the hotels' offset from UTC by its time zones."""

    now: float
    written: int | None
    zone_offset: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One that is open: a session's process id or a prepared one's name, and who by; age None: not to be seen."""

    name: str
    by: str
    age: float | None


async def server(conn: AsyncConnection) -> Server:
    """Ask which server this is, and which role we have there."""
    return (await _ask(conn, "server", Server))[0]


async def schema(conn: AsyncConnection) -> Schema:
    """Ask who owns the schema of our own tables."""
    return (await _ask(conn, "schema", Schema))[0]


async def tables(conn: AsyncConnection, names: Iterable[str]) -> list[Table]:
    """Those tables of the PMS, also where they do not exist."""
    return await _ask(conn, "tables", Table, tables=list(names), schema=SCHEMA)


async def identities(conn: AsyncConnection, names: Iterable[str]) -> list[Identity]:
    """What the log tells of rows that are deleted from those tables and their partitions."""
    return await _ask(conn, "identities", Identity, tables=list(names), schema=SCHEMA)


async def room(conn: AsyncConnection) -> Room:
    """What there is room for."""
    return (await _ask(conn, "room", Room))[0]


async def clock(conn: AsyncConnection, time_zone: str) -> Clock | None:
    """What time it is there; None where the server does not know the time zone."""
    try:
        return (await _ask(conn, "clock", Clock, time_zone=time_zone))[0]
    except InvalidParameterValue:
        return None


async def transactions(conn: AsyncConnection, seconds: float) -> list[Transaction]:
    """Transactions of any database that have been open for longer, and those whose age we may not see."""
    return await _ask(conn, "transactions", Transaction, seconds=seconds)


async def _ask(conn: AsyncConnection, query: str, kind: type[T], **values: object) -> list[T]:
    async with conn.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(_QUERIES[query], values)
        return await cursor.fetchall()


async def closed_tables(conn: AsyncConnection) -> list[str]:
    """Tables of ours that the role of this session may not read."""
    return [name async for (name,) in await conn.execute(_QUERIES["closed_tables"])]


async def withheld(conn: AsyncConnection, wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Those of the (table of the PMS, privilege) that the role of this session lacks, as "update on rooms"."""
    tables, privileges = zip(*wanted, strict=True)
    values = {"tables": list(tables), "privileges": list(privileges), "schema": SCHEMA}
    return [lacking async for (lacking,) in await conn.execute(_QUERIES["withheld"], values)]


async def user_exists(conn: AsyncConnection, user: int) -> bool:
    """Whether the PMS has this user."""
    row = await (await conn.execute(_QUERIES["user_exists"], {"user": user})).fetchone()
    return bool(row and row[0])
