"""A small PMS around a fixed day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

import pytest

from deploy.pms import install
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template

TODAY = date(2026, 11, 23)


@pytest.fixture
def house(pg18: Server) -> Iterator[Database]:
    """Return 2 hotels with 30 days of reservations after TODAY, this test's own."""
    yield from _furnished(pg18)


@pytest.fixture
def each_house(server: Server) -> Iterator[Database]:
    """Return the same on each PostgreSQL in turn."""
    yield from _furnished(server)


def _furnished(server: Server) -> Iterator[Database]:
    filled = template(server, "house", partial(install, hotels=2, days=30, today=TODAY))
    with fresh_database(server, filled) as database:
        yield database
