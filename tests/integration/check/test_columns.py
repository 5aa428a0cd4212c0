"""The list of columns that are read is what the queries read, as PostgreSQL itself sees it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from psycopg.sql import SQL, Composable

from sql.migrate import script
from sql.pms import prices
from sql.pms.bookings import ELIGIBLE, FRESH, FRESH_ALONE, POSITIONS
from sql.pms.columns import READ
from sql.queries import fill, load
from tests.support.servers.databases import Database

# What a block stands on where it is composed into a greater query.
_AROUND = {"bookings_digests": "with shown as (select null::uuid as client_id) "}
_PARAMETER = re.compile(r"%\(\w+\)s")
_DEPENDS = """
    select distinct c.relname, a.attname
    from pg_rewrite w
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
    join pg_class c on d.refclassid = 'pg_class'::regclass and c.oid = d.refobjid
        and c.relnamespace = 'public'::regnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
    where w.ev_class = %s::regclass and c.oid <> w.ev_class
"""
"""A view depends on the columns that its query names, and on no others."""


def queries() -> Iterator[tuple[str, str]]:
    for name, query in whole():
        text = _PARAMETER.sub("null", query.as_string(None))
        yield name, _AROUND.get(name, "") + text.replace("limit null", "limit 1")
    for name, priced in (("document", prices.DOCUMENT), ("nightly", prices.NIGHTLY)):
        yield f"prices_{name}", _PARAMETER.sub("null", priced.as_string(None))
    yield "tables_hotels", load("pms/tables.sql")["hotels"].as_string(None)


def whole() -> Iterator[tuple[str, Composable]]:
    """The queries by name, those that are made of several put together."""
    content, single, nights = (load(f"pms/{file}.sql") for file in ("content", "bookings", "nights"))
    yield from ((f"content_{name}", query) for name, query in content.items())
    yield from ((f"bookings_{name}", single[name]) for name in ("digests", "in_rooms", "page", "count"))
    for name, keyed in (("fresh", FRESH), ("alone", FRESH_ALONE), ("eligible", ELIGIBLE), ("positions", POSITIONS)):
        yield f"bookings_{name}", keyed.several
    yield "nights_fresh", fill(nights["fresh"], hotel=SQL("wanted.hotel_id"))


@pytest.fixture
def read(pms: Database) -> dict[str, frozenset[str]]:
    """Table → columns that the queries read."""
    found: dict[str, set[str]] = defaultdict(set)
    with pms.connect() as conn:
        conn.execute("create schema booking_engine")
        conn.execute(script())
        for name, query in queries():
            conn.execute(f"create temp view {name} as {query}".encode())
            for table, column in conn.execute(_DEPENDS, [name]):
                found[table].add(column)
    return {table: frozenset(columns) for table, columns in found.items()}


def test_the_list_is_what_the_queries_read(read: dict[str, frozenset[str]]) -> None:
    assert read == READ
