"""What `roomwire setup` says to PostgreSQL as the owner of the PMS's tables: roles, grants, schema, publication."""

from dataclasses import dataclass, field

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from sql.pms import grants as pms_grants
from sql.pms.tables import FOLLOWED
from sql.queries import load

_QUERIES = load("setup.sql")
WRITER = "roomwire_writer"
"""The writer's name where no setting gives another."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there shall be. Passwords: None to leave them as they are."""

    database: str
    capture: str
    publication: str
    password: str | None = field(repr=False, default=None)
    writer: str = WRITER
    writer_password: str | None = field(repr=False, default=None)


async def statements(conn: AsyncConnection, wanted: Wanted) -> list[Composed]:
    """The statements that bring the database from what it is to what is wanted; harmless to run again."""
    names: dict[str, Composable] = {
        "database": Identifier(wanted.database),
        "capture": Identifier(wanted.capture),
        "writer": Identifier(wanted.writer),
        "publication": Identifier(wanted.publication),
        "tables": SQL(", ").join(Identifier("public", table) for table in FOLLOWED),
    }
    steps = await _roles(conn, wanted)
    steps += [_QUERIES[name].format(**names) for name in ("connect", "schema", "schema_usage", "usage", "read")]
    steps += await _writing(conn, Identifier(wanted.writer))
    if await _exists(conn, "publication_exists", publication=wanted.publication):
        steps += [_QUERIES[name].format(**names) for name in ("alter_publication", "publish_roots")]
    else:
        steps.append(_QUERIES["create_publication"].format(**names))
    return steps


async def _roles(conn: AsyncConnection, wanted: Wanted) -> list[Composed]:
    steps = []
    owner = conn.info.user
    if wanted.capture != owner:
        known = await _exists(conn, "role_exists", role=wanted.capture)
        query = _QUERIES["alter_capture" if known else "create_capture"]
        steps.append(query.format(role=Identifier(wanted.capture)))
        if wanted.password:
            steps.append(_password(wanted.capture, wanted.password))
    if not await _exists(conn, "role_exists", role=wanted.writer):
        steps.append(_QUERIES["create_writer"].format(role=Identifier(wanted.writer)))
    if wanted.writer_password and wanted.writer not in {owner, wanted.capture}:
        steps.append(_password(wanted.writer, wanted.writer_password))
    return steps


async def _writing(conn: AsyncConnection, writer: Identifier) -> list[Composed]:
    """The writer's rights in the PMS; tables that a PMS does not have are passed over."""
    tables = list(pms_grants.WRITER)
    inserted = [table for table, privilege in pms_grants.single() if privilege == "insert"]
    present = [table async for (table,) in await conn.execute(_QUERIES["present"], {"tables": tables})]
    numbered = [name async for (name,) in await conn.execute(_QUERIES["sequences"], {"tables": inserted})]
    steps = [
        _QUERIES["grant_table"].format(privileges=SQL(allowed), table=Identifier("public", table), writer=writer)
        for table, allowed in pms_grants.WRITER.items()
        if table in present
    ]
    return steps + [
        _QUERIES["grant_sequence"].format(sequence=Identifier("public", name), writer=writer) for name in numbered
    ]


def _password(role: str, password: str) -> Composed:
    return _QUERIES["password"].format(role=Identifier(role), password=Literal(password))


def grants(writer: str) -> list[Composed]:
    """What the capture role gives the writer, of tables that are there and that will come. It makes no keys."""
    names = ("our_tables", "our_new_tables", "keys_are_read", "keys_are_used")
    return [_QUERIES[name].format(writer=Identifier(writer)) for name in names]


async def _exists(conn: AsyncConnection, query: str, **values: str) -> bool:
    row = await (await conn.execute(_QUERIES[query], values)).fetchone()
    return bool(row and row[0])
