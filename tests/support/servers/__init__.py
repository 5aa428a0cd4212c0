"""Real PostgreSQL servers for tests, on this machine or in containers, behind one face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pytest


class UnavailableError(Exception):
    """This kind of server cannot run here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A PostgreSQL that the tests run on.

    Attributes:
        name: as in test ids.
        version: major version.
        plugins: logical decoding plugins it has, the preferred one first.
    """

    name: str
    version: int
    plugins: tuple[str, ...]


PG15 = Kind("pg15", 15, ("wal2json", "pgoutput"))
PG18 = Kind("pg18", 18, ("pgoutput",))
KINDS = {kind.name: kind for kind in (PG15, PG18)}

# To some tests it makes no difference, or they are of one alone. What locks, plans or replicates runs on both.
ON_PG15 = pytest.mark.parametrize("server", [PG15.name], indirect=True)
ON_PG18 = pytest.mark.parametrize("server", [PG18.name], indirect=True)


class Server(Protocol):
    """A running server. Where it is shared, a test leaves it as it was found."""

    @property
    def kind(self) -> Kind:
        """Which PostgreSQL this is."""

    @property
    def version(self) -> int:
        """Major version."""

    @property
    def plugins(self) -> tuple[str, ...]:
        """Logical decoding plugins, the preferred one first."""

    @property
    def superuser(self) -> str:
        """Name of the role that the connection strings use."""

    @property
    def address(self) -> tuple[str, int]:
        """TCP host and port."""

    def dsn(self, database: str = "postgres", *, tcp: bool = False) -> str:
        """Return the superuser's connection string; a Unix socket's where there is one and `tcp` is false."""

    def start(self) -> None:
        """Start it after `stop` or `crash`, at the same address."""

    def stop(self) -> None:
        """Shut down fast."""

    def crash(self) -> None:
        """End it without a checkpoint."""

    def restart(self) -> None:
        """Stop and start."""

    def close(self) -> None:
        """End it and remove everything it wrote."""


class Launcher(Protocol):
    """Makes running servers of any kind."""

    def launch(self, kind: Kind, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> Server:
        """Return a new running server; `durable` keeps fsync on.

        Raises:
            UnavailableError: that kind cannot run here.
        """
