"""Fixtures of every test: real servers, and a database of its own for each test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings

from deploy.pms import install
from tests.support.nextjs import build
from tests.support.servers import KINDS, PG15, PG18, Kind, Launcher, Server, UnavailableError
from tests.support.servers.databases import Database, fresh_database, template
from tests.support.servers.local import LocalLauncher

# How long an example takes says more about the machine than about the code.
settings.register_profile("roomwire", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("roomwire")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose where servers run."""
    parser.addoption(
        "--servers",
        choices=("local", "containers"),
        default="local",
        help="run PostgreSQL as processes of this machine, or in containers (testcontainers)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the markers."""
    config.addinivalue_line("markers", "chaos: takes minutes; `make chaos` runs these, `make test` does not")
    config.addinivalue_line(
        "markers",
        "own_server(durable=False, settings=None): `server` is a new one for this test alone, "
        "which may restart it, crash it or change its settings",
    )


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end: all modules, and thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def launcher(pytestconfig: pytest.Config) -> Launcher:
    """Return what starts servers, as `--servers` asks."""
    if pytestconfig.getoption("--servers") == "local":
        return LocalLauncher()
    from tests.support.servers.container import ContainerLauncher  # noqa: PLC0415  # it imports Docker's client

    return ContainerLauncher()


@pytest.fixture(scope="session")
def pg15(launcher: Launcher) -> Iterator[Server]:
    """PostgreSQL 15 with wal2json, shared by the tests of this process."""
    yield from _running(launcher, PG15)


@pytest.fixture(scope="session")
def pg18(launcher: Launcher) -> Iterator[Server]:
    """The embedded PostgreSQL 18, which has pgoutput only, shared by the tests of this process."""
    yield from _running(launcher, PG18)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, launcher: Launcher) -> Iterator[Server]:
    """Each PostgreSQL in turn: the shared one, or a new one for a test marked `own_server`."""
    own = request.node.get_closest_marker("own_server")
    if own is None:
        yield request.getfixturevalue(request.param)
    else:
        yield from _running(launcher, KINDS[request.param], **own.kwargs)


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """Return an empty database of this test's own."""
    with fresh_database(server) as database:
        yield database


@pytest.fixture
def pms(server: Server) -> Iterator[Database]:
    """Return a database with a small PMS of this test's own: 2 hotels and 30 days from today in Tokyo."""
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    fill = partial(install, seed=1, hotels=2, days=30, today=today)
    with fresh_database(server, template(server, f"pms_{today:%Y%m%d}", fill)) as database:
        yield database


def _running(launcher: Launcher, kind: Kind, **wishes: object) -> Iterator[Server]:
    try:
        server = launcher.launch(kind, **wishes)  # type: ignore[arg-type]  # a marker's words
    except UnavailableError as reason:
        pytest.skip(f"{kind.name}: {reason}")
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def nextjs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the folder of the compiled Next.js example."""
    base = tmp_path_factory.getbasetemp()
    try:
        return build.compiled(base if worker_id == "master" else base.parent)
    except build.UnavailableError as reason:
        pytest.skip(f"the Next.js example is not checked: {reason}")
