"""A small PMS around a fixed day."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from deploy.pms import install
from tests.integration.pms.empty import GUEST, LATIN, TODAY, Connection
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template


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


@pytest.fixture
def conn(pg18: Server) -> Iterator[Connection]:
    """An empty house: one hotel without any reservation, and two clients."""
    empty = template(pg18, "empty_house", partial(install, hotels=1, days=0, today=TODAY))
    with fresh_database(pg18, empty) as database, database.connect() as conn:
        conn.execute("SELECT set_config('my_app.user_id', '1', false)")
        conn.execute(
            """INSERT INTO clients (id, name, name_kana, name_kanji, email, phone) VALUES
            (%s, 'Sato Aoi', 'サトウ アオイ', '佐藤 葵', 'aoi@example.jp', '090'),
            (%s, 'Emma', NULL, NULL, NULL, NULL)""",
            (GUEST, LATIN),
        )
        yield conn
