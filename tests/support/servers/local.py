"""Servers as processes of this machine: Debian's PostgreSQL 15 and the embedded PostgreSQL 18."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.embedded import SUPERUSER, EmbeddedServer, wheel_binaries
from tests.support.servers import PG15, Kind, Server, UnavailableError

DEBIAN = Path("/usr/lib/postgresql/15")
_SHARED_MEMORY = Path("/dev/shm")


class LocalServer(EmbeddedServer):
    """An embedded server that says which kind it is."""

    def __init__(self, kind: Kind, binaries: Path, *, durable: bool, settings: Mapping[str, str] | None) -> None:
        super().__init__(binaries, scratch=_memory(), tcp=True, durable=durable, settings=settings)
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


def _memory() -> Path | None:
    """Return a folder in memory that takes several servers; a database is copied there in a tenth of the time."""
    if not _SHARED_MEMORY.is_dir():
        return None
    found = os.statvfs(_SHARED_MEMORY)
    roomy = found.f_bavail * found.f_frsize >= 6 << 30
    return _SHARED_MEMORY if roomy and not found.f_flag & os.ST_NOEXEC else None
