"""Databases that live as long as a test, copied from templates that live as long as their server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.support.servers import Server

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a server.

    Attributes:
        server: where it is.
        name: its name, free of characters that need quoting.
    """

    server: Server
    name: str

    @property
    def dsn(self) -> str:
        """The superuser's connection string."""
        return self.server.dsn(self.name)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection in autocommit mode."""
        return psycopg.connect(self.dsn, autocommit=True)

    def slot(self, label: str = "slot") -> str:
        """Return a name for a replication slot that no other test uses. It goes away with the database."""
        return f"{self.name}_{label}"


@contextmanager
def fresh_database(server: Server, template: str = "template0") -> Iterator[Database]:
    """Create a database and, at the end, drop it with its slots and the roles made meanwhile."""
    database = Database(server, f"test_{next(_numbers)}")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        roles = _roles(admin)
        _copy(admin, template, database.name)
    try:
        yield database
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            _drop(admin, database.name)
            for role in _roles(admin) - roles:
                admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def template(server: Server, name: str, fill: Callable[[psycopg.Connection[tuple[Any, ...]]], object]) -> str:
    """Make sure that a database `name` exists on the server for copying; `fill` gives it its contents.

    `fill` gets an open transaction, committed afterwards.
    """
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        draft = f"{name}_draft"
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(draft)))
        _copy(admin, "template0", draft)
        with psycopg.connect(server.dsn(draft)) as connection:
            fill(connection)
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
    return name


def _copy(admin: psycopg.Connection[tuple[Any, ...]], source: str, name: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    admin.execute(statement.format(sql.Identifier(name), sql.Identifier(source)))


def _roles(admin: psycopg.Connection[tuple[Any, ...]]) -> set[str]:
    return {name for (name,) in admin.execute("SELECT rolname FROM pg_roles")}


def _drop(admin: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", [name])
    admin.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", [name]
    )
    admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
