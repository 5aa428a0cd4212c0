"""Servers as processes of this machine: Debian's PostgreSQL 15 and the embedded PostgreSQL 18."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.embedded import SUPERUSER, EmbeddedServer, wheel_binaries
from tests.support.servers import PG15, Kind, Server, UnavailableError

DEBIAN = Path("/usr/lib/postgresql/15")


class LocalServer(EmbeddedServer):
    """An embedded server that says which kind it is."""

    def __init__(self, kind: Kind, binaries: Path, *, durable: bool, settings: Mapping[str, str] | None) -> None:
        super().__init__(binaries, tcp=True, durable=durable, settings=settings)
        self.kind = kind

    @property
    def version(self) -> int:
        """Major version."""
        return self.kind.version

    @property
    def plugins(self) -> tuple[str, ...]:
        """Logical decoding plugins, the preferred one first."""
        return self.kind.plugins

    @property
    def superuser(self) -> str:
        """Name of the role that the connection strings use."""
        return SUPERUSER

    @property
    def address(self) -> tuple[str, int]:
        """TCP host and port."""
        return "127.0.0.1", self.port


class LocalLauncher:
    """Starts servers as children of the test process."""

    def launch(self, kind: Kind, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> Server:
        """Return a new running server."""
        server = LocalServer(kind, _binaries(kind), durable=durable, settings=settings)
        return server.__enter__()


def _binaries(kind: Kind) -> Path:
    if kind is not PG15:
        return wheel_binaries()
    missing = [name for name in ("bin/postgres", "lib/wal2json.so") if not (DEBIAN / name).exists()]
    if missing:
        raise UnavailableError(
            f"{DEBIAN}/{missing[0]} is missing: apt-get install postgresql-15 postgresql-15-wal2json"
        )
    return DEBIAN / "bin"
