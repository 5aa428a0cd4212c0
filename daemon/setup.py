"""`roomwire setup`: everything that must stand in the database before `roomwire run`.

The owner of the PMS's tables makes roles, grants, the schema and the publication; the capture role itself then
migrates its schema and makes the slot.
"""

from collections.abc import Callable

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict

from daemon.leadership import ensure_slot
from daemon.settings import Settings
from sql import migrate, setup
from sql.pool import connect
from sql.setup import WRITER, SetupRefusedError, Step, Wanted


async def run_setup(settings: Settings, owner_dsn: str, *, dry_run: bool, say: Callable[[str], None]) -> None:
    """Prepare the database; with `dry_run` only say the SQL, without passwords.

    Raises:
        SetupRefusedError: the owner may not do a step; it says who may.
        psycopg.Error: a server cannot be reached.
        ReplicationError: the slot cannot be made.
    """
    await _as_owner(settings, owner_dsn, dry_run=dry_run, say=say)
    if dry_run:
        say(f"\n-- as {_role(settings)}: migrations\n{migrate.script().as_string(None)}")
        for step in setup.grants(_writer(settings)[0]):
            say(f"{step.as_string(None)};")
        say(f"\n-- as {_role(settings)}: the slot {settings.slot}, plugin {settings.plugin}")
        return
    dsn = settings.dsn.get_secret_value()
    async with await connect(dsn, application="setup", statement_timeout="0") as conn:
        for line in await migrate.migrate(conn):
            say(f"  {line}")
        for step in setup.grants(_writer(settings)[0]):
            say(f"  {step.as_string(conn)}")
            await conn.execute(step)
        say(f"  slot {settings.slot} (waits until transactions that are open now have ended)")
        state = await ensure_slot(conn, settings, leads=False)
        found = "is lost: `roomwire run` makes it anew" if state.lost else f"is there, with plugin {state.plugin}"
        say(f"  slot {settings.slot} {found}")


async def _as_owner(settings: Settings, owner_dsn: str, *, dry_run: bool, say: Callable[[str], None]) -> None:
    parts = conninfo_to_dict(settings.dsn.get_secret_value())
    async with await connect(owner_dsn, application="setup", statement_timeout="0") as owner:
        password = parts.get("password")
        writer, writer_password = _writer(settings)
        wanted = Wanted(
            database=owner.info.dbname,
            capture=_role(settings) or owner.info.user,
            publication=settings.publication,
            password=str(password) if password else None,
            writer=writer,
            writer_password=writer_password,
        )
        steps = await setup.statements(owner, wanted)
        for step in steps:
            text = _discreet(step, owner)
            say(f"{text};" if dry_run else f"  {text}")
        if not dry_run:
            async with owner.transaction():
                for step in steps:
                    await _do(owner, step)


async def _do(owner: AsyncConnection, step: Step) -> None:
    try:
        await owner.execute(step.statement)
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"{error.diag.message_primary}: {_discreet(step, owner)}"
        raise SetupRefusedError(f"{said}. {step.remedy}") from None


def _discreet(step: Step, conn: AsyncConnection) -> str:
    """A statement without the password that it sets."""
    said, hidden, _ = step.statement.as_string(conn).partition(" password ")
    return f"{said}{hidden}{'…' if hidden else ''}"


def _writer(settings: Settings) -> tuple[str, str | None]:
    """The writer role's name and password."""
    parts = conninfo_to_dict(settings.writer_dsn.get_secret_value()) if settings.writer_dsn else {}
    password = parts.get("password")
    return str(parts.get("user") or WRITER), str(password) if password else None


def _role(settings: Settings) -> str:
    return str(conninfo_to_dict(settings.dsn.get_secret_value()).get("user") or "")
