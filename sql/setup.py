"""What `roomwire setup` says to PostgreSQL as the owner of the PMS's tables: roles, grants, schema, publication.

The owner need be no superuser, which managed databases do not give: what is there already is not asked for again,
and each step knows who may do it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from sql.pms import grants as pms_grants
from sql.pms.tables import FOLLOWED
from sql.queries import load

_QUERIES = load("setup.sql")
T = TypeVar("T")
WRITER = "roomwire_writer"
"""The writer's name where no setting gives another."""

REPLICATES = (
    "Only a superuser gives REPLICATION, or from PostgreSQL 16 on who has it and CREATEROLE. Otherwise have {role}"
    " made as your provider says (CREATE ROLE {role} LOGIN REPLICATION, with ROOMWIRE_DSN's password), or give"
    " ROOMWIRE_DSN a role that has it, such as {owner} itself."
)
ROLE = "Give {owner} CREATEROLE, or have {role} made (CREATE ROLE {role} LOGIN, with its DSN's password)."
MEMBER = "As whoever made {role}: GRANT {role} TO {owner}."
CREATE = "As the owner of database {database}: GRANT CREATE ON DATABASE {database} TO {owner}."
CONNECT = "As the owner of database {database}: GRANT CONNECT ON DATABASE {database} TO {role}."
USAGE = "As the owner of schema public: GRANT USAGE ON SCHEMA public TO {role}."
OWNED = "Give ROOMWIRE_OWNER_DSN a role that owns the PMS's tables, or let it: GRANT {theirs} TO {owner}."
SCHEMA_FOREIGN = (
    "Give ROOMWIRE_DSN the role that owns it; or as a superuser: ALTER SCHEMA booking_engine OWNER TO {role},"
    " and so for its tables."
)
PUBLISHED = "Have its owner drop the publication, or give it: ALTER PUBLICATION {publication} OWNER TO {owner}."


class SetupRefusedError(Exception):
    """The owner's role may not do what has to be done; the message says what, and who may."""


class Step(NamedTuple):
    """A statement, and what to do where it is refused for want of a right."""

    statement: Composed
    remedy: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there shall be. Passwords: None to leave them as they are."""

    database: str
    capture: str
    publication: str
    password: str | None = field(repr=False, default=None)
    writer: str = WRITER
    writer_password: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom we are connected as. rds: the server has Amazon's role whose members may replicate."""

    name: str
    superuser: bool
    rds: bool


@dataclass(frozen=True, slots=True)
class Role:
    """A role that is there. alterable: the owner may change it; mine: the owner may act as it."""

    logs_in: bool
    replicates: bool
    alterable: bool
    mine: bool


async def statements(conn: AsyncConnection, wanted: Wanted) -> list[Step]:
    """The statements that bring the database from what it is to what is wanted; harmless to run again.

    Raises:
        SetupRefusedError: tables of the PMS are not this session's to give rights on, or our schema is another's.
    """
    owner = await _one(conn, Owner, "owner")
    assert owner is not None  # a session has a role
    await _check_owned(conn, owner)
    parts = _Parts(conn, wanted, owner)
    made = [await parts.capture(), await parts.writer(), await parts.schema()]
    made += [await parts.rights(), await parts.publication()]
    return [step for steps in made for step in steps]


class _Parts:
    """The steps of one setup, part by part."""

    def __init__(self, conn: AsyncConnection, wanted: Wanted, owner: Owner) -> None:
        self._conn = conn
        self._wanted = wanted
        self._owner = owner

    def _step(self, query: str, remedy: str, role: str = "", names: Mapping[str, Composable] | None = None) -> Step:
        said = {"role": role, "owner": self._owner.name, "theirs": "their owner"}
        said |= {"database": self._wanted.database, "publication": self._wanted.publication}
        return Step(_QUERIES[query].format(role=Identifier(role), **(names or {})), remedy.format(**said))

    async def capture(self) -> list[Step]:
        """The role that reads; whoever is connected as it already has what it needs, or `check` says so."""
        name, owner = self._wanted.capture, self._owner
        if name == owner.name:
            return []
        found = await _one(self._conn, Role, "role", role=name)
        if found and found.logs_in and found.replicates:
            # Saying so again is refused to an owner without REPLICATION, though nothing would change.
            return self._password(name, self._wanted.password) if found.alterable else []
        if owner.rds and not owner.superuser:
            made = [] if found else [self._step("create_role", ROLE, name)]
            made.append(self._step("let_replicate", REPLICATES, name))
        else:
            made = [self._step("alter_capture" if found else "create_capture", REPLICATES, name)]
        return made + self._password(name, self._wanted.password)

    async def writer(self) -> list[Step]:
        """The role that writes bookings."""
        name = self._wanted.writer
        found = await _one(self._conn, Role, "role", role=name)
        made = [] if found else [self._step("create_role", ROLE, name)]
        if name in {self._owner.name, self._wanted.capture} or (found and not found.alterable):
            return made
        return made + self._password(name, self._wanted.writer_password)

    def _password(self, role: str, password: str | None) -> list[Step]:
        return [self._step("password", ROLE, role, {"password": Literal(password)})] if password else []

    async def schema(self) -> list[Step]:
        """Our schema, the capture role's own: who is no superuser has to be its member to give it away."""
        capture, owner = self._wanted.capture, self._owner
        row = await (await self._conn.execute(_QUERIES["schema_owner"], {"role": capture})).fetchone()
        if row is not None:
            of, owned = row
            if not owned:
                remedy = SCHEMA_FOREIGN.format(role=capture)
                raise SetupRefusedError(f"Schema booking_engine belongs to {of}, not to {capture}. {remedy}")
            return []
        names: dict[str, Composable] = {"capture": Identifier(capture), "owner": Identifier(owner.name)}
        made = [self._step("schema", CREATE, capture, names)]
        found = await _one(self._conn, Role, "role", role=capture)
        if owner.superuser or capture == owner.name or (found and found.mine):
            return made
        join, leave = (self._step(query, MEMBER, capture, names) for query in ("join", "leave"))
        return [join, *made, leave]

    async def rights(self) -> list[Step]:
        """What both roles may do with the PMS's tables, and the writer besides."""
        made = []
        for role in (self._wanted.capture, self._wanted.writer):
            made += await self._doors(role)
        names = {name: Identifier(getattr(self._wanted, name)) for name in ("capture", "writer")}
        made.append(self._step("read", OWNED, "", {**names, "tables": _followed()}))
        return made + await self._writing(names["writer"])

    async def _doors(self, role: str) -> list[Step]:
        """How a role gets to the PMS's tables: by rights of its own if we may give any: everybody's may end."""
        made = []
        names = {"database": Identifier(self._wanted.database)}
        async for right, has, given in await self._conn.execute(_QUERIES["doors"], {"role": role}):
            step = self._step(right, {"connect": CONNECT, "usage": USAGE}[right], role, names)
            if given:
                made.append(step)
            elif not has:
                # To who has the right, but may not give it, the server says no more than a warning.
                said = step.statement.as_string(self._conn)
                raise SetupRefusedError(f"{self._owner.name} may not {said}. {step.remedy}")
        return made

    async def _writing(self, writer: Identifier) -> list[Step]:
        """The writer's rights in the PMS; tables that a PMS does not have are passed over."""
        tables = list(pms_grants.WRITER)
        inserted = [table for table, privilege in pms_grants.single() if privilege == "insert"]
        present = [table async for (table,) in await self._conn.execute(_QUERIES["present"], {"tables": tables})]
        numbered = [name async for (name,) in await self._conn.execute(_QUERIES["sequences"], {"tables": inserted})]
        steps = [
            self._step(
                "grant_table",
                OWNED,
                "",
                {"privileges": SQL(allowed), "table": Identifier("public", table), "writer": writer},
            )
            for table, allowed in pms_grants.WRITER.items()
            if table in present
        ]
        return steps + [
            self._step("grant_sequence", OWNED, "", {"sequence": Identifier("public", name), "writer": writer})
            for name in numbered
        ]

    async def publication(self) -> list[Step]:
        """What pgoutput sends."""
        names: dict[str, Composable] = {
            "publication": Identifier(self._wanted.publication),
            "tables": _followed(),
        }
        cursor = await self._conn.execute(_QUERIES["publication_exists"], {"publication": self._wanted.publication})
        if await cursor.fetchone():
            return [self._step(query, PUBLISHED, "", names) for query in ("alter_publication", "publish_roots")]
        return [self._step("create_publication", CREATE, "", names)]


async def _check_owned(conn: AsyncConnection, owner: Owner) -> None:
    """A grant by who may not give a right is no error where he has one himself: the server only warns."""
    wanted = {"tables": [*FOLLOWED, *pms_grants.WRITER]}
    rows = await (await conn.execute(_QUERIES["strangers"], wanted)).fetchall()
    if rows:
        tables, owners = ", ".join(sorted({name for name, _ in rows})), ", ".join(sorted({of for _, of in rows}))
        raise SetupRefusedError(
            f"{owner.name} may not give rights on {tables}: they belong to {owners}."
            f" {OWNED.format(theirs=owners, owner=owner.name)}"
        )


def grants(writer: str) -> list[Composed]:
    """What the capture role gives the writer, of tables that are there and that will come. It makes no keys."""
    names = ("schema_usage", "our_tables", "our_new_tables", "keys_are_read", "keys_are_used")
    return [_QUERIES[name].format(writer=Identifier(writer)) for name in names]


def _followed() -> Composed:
    return SQL(", ").join(Identifier("public", table) for table in FOLLOWED)


async def _one(conn: AsyncConnection, kind: type[T], query: str, **values: str) -> T | None:
    async with conn.cursor(row_factory=class_row(kind)) as cursor:
        return await (await cursor.execute(_QUERIES[query], values)).fetchone()
