"""Running a command: settings, the event loop, and errors as one clear line with a remedy."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeVar

import psycopg
import structlog
import typer
import uvloop
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from api.access.issue import IssueError
from daemon.logs import configure
from daemon.outbound import outbound
from daemon.parts import PartEndedError
from daemon.replication.errors import ReplicationError
from daemon.settings import Settings, SettingsError, read
from outbox.delivery.outbound import Outbound
from outbox.secrets import SecretsError
from outbox.settings import EndpointError
from sql.checkpoint import DeposedError
from sql.migrate import MigrationError
from sql.pool import connect
from sql.setup import SetupRefusedError

log = structlog.get_logger()
T = TypeVar("T")

_NO_ADDRESS = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}
_KNOWN = (
    ReplicationError,
    EndpointError,
    IssueError,
    SecretsError,
    MigrationError,
    SetupRefusedError,
    DeposedError,
    PartEndedError,
    psycopg.Error,
    PoolTimeout,
    OSError,
)


def settings(**given: Any) -> Settings:
    """Read the settings and set up logging, or end the process with a line for each fault."""
    try:
        found = read(**given)
    except SettingsError as error:
        fail(str(error))
    configure(found.log_level, found.log_format)
    return found


def run(work: Coroutine[Any, Any, T], *, failed: Callable[[str], NoReturn] | None = None) -> T:
    """Run a command's work to its end; a known error becomes one line, by `failed` or `fail`, and exit code 1."""
    failed = failed or fail
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except BaseExceptionGroup as group:
        known = _first(group)
        if known is None:
            raise
        failed(_line(known))
    except _KNOWN as error:
        failed(_line(error))


@asynccontextmanager
async def database(found: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection to the PMS's database for the length of a command."""
    async with await connect(found.dsn.get_secret_value(), application="command") as conn:
        yield conn


def ask(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run what needs one connection to the PMS's database and nothing else; errors as in `run`."""
    return send(lambda conn, _: work(conn))


def send(work: Callable[[AsyncConnection, Outbound], Awaitable[T]]) -> T:
    """Run what needs one connection to the PMS's database, and what sends to endpoints; errors as in `run`."""
    found = settings()

    async def connected() -> T:
        async with database(found) as conn:
            return await work(conn, outbound(found))

    return run(connected())


def fail(line: str) -> NoReturn:
    """Say why on standard error and end with exit code 1."""
    typer.secho(line, err=True, fg="red")
    raise typer.Exit(1)


def fail_in_log(line: str) -> NoReturn:
    """Log why and end with exit code 1: for a daemon, whose every line is an event."""
    log.error("failed", error=line)
    raise typer.Exit(1)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    for error in group.exceptions:
        found = _first(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, _KNOWN):
            return found
    return None


def _line(error: BaseException) -> str:
    # The rest of what PostgreSQL says may quote rows.
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    # Of a connection that fails libpq asks in a second line whether the server runs.
    said = str(error).partition("\n")[0] if isinstance(error, psycopg.OperationalError) else str(error)
    text = " ".join((primary or said).split()) or type(error).__name__
    remedy = _remedy(error, text)
    return f"{text.rstrip('.?')}. {remedy}" if remedy else text


def _remedy(error: BaseException, text: str) -> str | None:
    """What to do about an error that does not say so itself."""
    if isinstance(error, psycopg.errors.UndefinedTable) and "booking_engine" in text:
        return "Run `roomwire migrate` first."
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return "Check ROOMWIRE_DSN, and that `roomwire setup` was run."
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "`roomwire check` says which right is missing; `roomwire setup` gives them all."
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return "`roomwire check` says what is missing and what to do."
    if isinstance(error, OSError) and error.errno in _NO_ADDRESS:
        return "Set ROOMWIRE_API_HOST and ROOMWIRE_API_PORT to what is free on this machine; port 0 takes any."
    return None
