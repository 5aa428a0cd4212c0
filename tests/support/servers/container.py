"""PostgreSQL 15 with wal2json in containers, from the image that `deploy/postgres` describes."""

from __future__ import annotations

import gc
import secrets
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import psycopg
from docker.errors import DockerException
from docker.models.containers import Container
from psycopg.conninfo import make_conninfo
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage

import deploy
from deploy.embedded import CARELESS, LOGICAL, SUPERUSER, free_port
from tests.support.servers import PG15, Kind, Server, UnavailableError


class ContainerServer:
    """One container, which keeps its data and its port from `stop` to `start`."""

    superuser = SUPERUSER

    def __init__(self, kind: Kind, image: str, settings: Mapping[str, str]) -> None:
        self.kind = kind
        self._password = secrets.token_hex(16)
        self._port = free_port()
        self._machine = (
            DockerContainer(image)
            .with_env("POSTGRES_PASSWORD", self._password)
            .with_bind_ports(5432, self._port)
            .with_command([word for name, value in settings.items() for word in ("-c", f"{name}={value}")])
        )
        try:
            self._machine.start()
            self._host = self._machine.get_container_host_ip()
            self._await_ready()
        except BaseException:
            self.close()
            raise

    @property
    def version(self) -> int:
        """Major version."""
        return self.kind.version

    @property
    def plugins(self) -> tuple[str, ...]:
        """Logical decoding plugins, the preferred one first."""
        return self.kind.plugins

    @property
    def address(self) -> tuple[str, int]:
        """TCP host and port."""
        return self._host, self._port

    def dsn(self, database: str = "postgres", *, tcp: bool = True) -> str:  # noqa: ARG002  # what other servers take
        """Return the superuser's connection string; a container has no Unix socket to offer."""
        return make_conninfo(
            host=self._host, port=self._port, user=SUPERUSER, password=self._password, dbname=database
        )

    def start(self) -> None:
        """Start it after `stop` or `crash`, at the same address."""
        self._container.start()
        self._await_ready()

    def stop(self) -> None:
        """Shut down fast."""
        self._container.stop(timeout=30)

    def crash(self) -> None:
        """End it without a checkpoint."""
        self._container.kill("SIGQUIT")
        self._container.wait()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Remove the container and its data."""
        self._machine.stop()

    @property
    def _container(self) -> Container:
        return self._machine.get_wrapped_container()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return


class ContainerLauncher:
    """Starts containers of an image that it builds first.

    Attributes:
        image: its tag, or why there is none.
    """

    def __init__(self) -> None:
        self.image = _build(Path(deploy.__file__).parent / "postgres")

    def launch(self, kind: Kind, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> Server:
        """Return a new running server."""
        if kind is not PG15:
            raise UnavailableError("the image holds PostgreSQL 15; --servers local runs this one")
        if isinstance(self.image, UnavailableError):
            raise self.image
        wishes = {**LOGICAL, **({} if durable else CARELESS), **(settings or {})}
        return ContainerServer(kind, self.image, wishes)


def _build(context: Path) -> str | UnavailableError:
    try:
        return str(DockerImage(context, tag="roomwire-postgres:test", clean_up=False).build())
    except DockerException as error:
        reason = UnavailableError(f"no image from {context}: {error}")
    # Docker's client leaves a socket that found no engine to the garbage collector, whose warning is an error.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()
    return reason
