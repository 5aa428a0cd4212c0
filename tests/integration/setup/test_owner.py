"""`roomwire setup` by a role that owns the PMS but is no superuser, as managed databases give it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.support.daemon import Roomwire
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database

GIVE_AWAY = """
    do $$
    declare t regclass;
    begin
        for t in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
        loop
            execute format('alter table %s owner to {owner}', t);
        end loop;
    end $$
"""


@pytest.fixture
def managed(pms: Database) -> Iterator[Roomwire]:
    """A PMS whose owner has CREATEROLE and REPLICATION."""
    owner = f"{pms.name}_owner"
    with pms.connect() as conn:
        conn.execute(f"create role {owner} login createrole replication password 'owner'".encode())
        conn.execute(f"alter database {pms.name} owner to {owner}".encode())
        conn.execute(GIVE_AWAY.format(owner=owner).encode())
    roomwire = Roomwire(pms)
    roomwire.settings["ROOMWIRE_OWNER_DSN"] = make_conninfo(pms.dsn, user=owner, password="owner")
    yield roomwire
    # Whatever it made goes with the database.
    with pms.connect() as conn:
        conn.execute(f"reassign owned by {owner} to current_user".encode())
        conn.execute(f"drop owned by {owner} cascade".encode())


def owner(roomwire: Roomwire) -> str:
    return f"{roomwire.database.name}_owner"


def execute(roomwire: Roomwire, statement: str) -> None:
    with roomwire.database.connect() as conn:
        conn.execute(statement.encode())


def stored(roomwire: Roomwire) -> str:
    """The capture role's password, as the server keeps it."""
    with roomwire.database.connect() as conn:
        row = conn.execute("select rolpassword from pg_authid where rolname = %s", [roomwire.role]).fetchone()
    assert row is not None
    return str(row[0])


async def wrong(roomwire: Roomwire) -> list[str]:
    """The checks that find something wrong."""
    said = json.loads((await roomwire.attempt("check", "--json")).out)
    return [found["check"] for found in said["checks"] if found["level"] == "wrong"]


async def refusal(roomwire: Roomwire) -> str:
    """What `roomwire setup` cannot do, in its one line."""
    ended = await roomwire.attempt("setup")
    assert ended.code == 1
    (line,) = ended.err.splitlines()
    return line


async def test_who_has_replication_sets_up_as_the_tables_owner(managed: Roomwire) -> None:
    if managed.database.server.version < 16:
        # There only a superuser gives REPLICATION: the owner's own has to do.
        said = await refusal(managed)
        assert said.startswith("must be superuser to create replication users: ")
        assert f"such as {owner(managed)} itself" in said
        managed.settings["ROOMWIRE_DSN"] = managed.settings["ROOMWIRE_OWNER_DSN"]
    first = await managed.command("setup")
    assert "The database is ready" in first
    assert await wrong(managed) == []
    assert "The database is ready" in await managed.command("setup"), "it is harmless to run again"
    if managed.database.server.version >= 16:
        member = "select pg_has_role(%s, %s, 'usage')"
        with managed.database.connect() as conn:
            assert conn.execute(member, [owner(managed), managed.role]).fetchone() == (False,)


async def test_a_role_that_the_provider_made_is_taken_as_it_is(managed: Roomwire) -> None:
    execute(managed, f"create role {managed.role} login replication password 'capture'")
    execute(managed, f"alter role {owner(managed)} noreplication")
    if managed.database.server.version >= 16:
        # Before, CREATEROLE is enough to be a member of any.
        assert f"GRANT {managed.role} TO {owner(managed)}" in await refusal(managed)
        execute(managed, f"grant {managed.role} to {owner(managed)}")
    assert "The database is ready" in await managed.command("setup")
    assert await wrong(managed) == []


@ON_PG18
async def test_what_everybody_may_no_longer_the_roles_still_may(managed: Roomwire) -> None:
    await managed.command("setup")
    name = managed.database.name
    execute(managed, f"revoke connect on database {name} from public; revoke usage on schema public from public")
    may = "select has_database_privilege(%s, %s, 'connect'), has_schema_privilege(%s, 'public', 'usage')"
    with managed.database.connect() as conn:
        for role in (managed.role, managed.writer):
            assert conn.execute(may, [role, name, role]).fetchone() == (True, True), role


@ON_PG18
async def test_who_may_alter_a_role_changes_its_password_without_replication(managed: Roomwire) -> None:
    with psycopg.connect(managed.settings["ROOMWIRE_OWNER_DSN"], autocommit=True) as conn:
        conn.execute(f"create role {managed.role} login replication password 'old'".encode())
    execute(managed, f"alter role {owner(managed)} noreplication")
    before = stored(managed)
    assert "The database is ready" in await managed.command("setup")
    assert stored(managed) != before


@ON_PG18
@pytest.mark.parametrize(
    ("harm", "words", "remedy"),
    [
        ("alter role {owner} noreplication", "permission denied to create role", "such as {owner} itself"),
        ("alter role {owner} nocreaterole", "permission denied to create role", "made as your provider says"),
        (
            "alter table plans_rates owner to {boss}",
            "may not give rights on plans_rates",
            "GRANT {boss} TO {owner}",
        ),
        (
            "alter database {name} owner to {boss}",
            "permission denied for database",
            "GRANT CREATE ON DATABASE {name} TO {owner}",
        ),
        (
            "alter database {name} owner to {boss}; grant connect, create on database {name} to {owner};"
            " revoke connect on database {name} from public",
            '{owner} may not grant connect on database "{name}" to "{role}"',
            "As the owner of database {name}: GRANT CONNECT ON DATABASE {name} TO {role}",
        ),
        (
            "create schema booking_engine authorization {boss}",
            "Schema booking_engine belongs to {boss}, not to {role}",
            "ALTER SCHEMA booking_engine OWNER TO {role}",
        ),
    ],
)
async def test_the_right_that_is_missing_is_named_with_who_may_give_it(
    managed: Roomwire, harm: str, words: str, remedy: str
) -> None:
    with managed.database.connect() as conn:
        boss = conn.info.user
    names = {"owner": owner(managed), "name": managed.database.name, "boss": boss, "role": managed.role}
    execute(managed, harm.format(**names))
    said = await refusal(managed)
    assert words.format(**names) in said
    assert remedy.format(**names) in said


@ON_PG18
async def test_members_of_amazons_role_replicate(managed: Roomwire) -> None:
    execute(managed, f"alter role {owner(managed)} noreplication")
    with managed.database.connect() as conn:
        conn.execute("create role rds_replication")
        try:
            conn.execute(f"grant rds_replication to {owner(managed)} with admin option".encode())
            script = await managed.command("setup", "--dry-run")
        finally:
            conn.execute("drop role rds_replication")
    assert f'create role "{managed.role}" login;' in script
    assert f'grant rds_replication to "{managed.role}";' in script
    assert "login replication" not in script
