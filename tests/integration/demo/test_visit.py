"""A database of the user's is looked at before anything is touched, and tidied up afterwards."""

from __future__ import annotations

import pytest

from deploy.demo import visit
from deploy.demo.visit import InTheWayError
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database


async def test_an_empty_database_is_welcome(database: Database) -> None:
    found = await visit.look(database.dsn)
    assert (found.database, found.furnished) == (database.name, False)


async def test_a_pms_of_the_demos_own_is_gone_on_with(pms: Database) -> None:
    assert (await visit.look(pms.dsn)).furnished


@pytest.mark.parametrize(
    "table", ["CREATE TABLE guests (id int)", "CREATE TABLE users (login text); CREATE TABLE hotels (id int)"]
)
async def test_a_database_with_other_tables_is_refused(database: Database, table: str) -> None:
    with database.connect() as conn:
        conn.execute(table.encode())
    with pytest.raises(InTheWayError, match=r"tables of yours.*CREATE DATABASE roomwire_demo"):
        await visit.look(database.dsn)


async def test_a_pms_whose_users_are_real_is_refused(pms: Database) -> None:
    with pms.connect() as conn:
        conn.execute("UPDATE users SET email = 'manager@hotel.test' WHERE id = 5")
    with pytest.raises(InTheWayError, match="tables of yours"):
        await visit.look(pms.dsn)


async def test_a_database_with_a_roomwire_is_refused(pms: Database) -> None:
    with pms.connect() as conn:
        conn.execute("CREATE SCHEMA booking_engine")
    with pytest.raises(InTheWayError, match="has a Roomwire already"):
        await visit.look(pms.dsn)


async def test_what_a_killed_demo_left_is_cleared_away(pms: Database) -> None:
    slot = (await visit.look(pms.dsn)).slot
    with pms.connect() as conn:
        conn.execute("CREATE SCHEMA booking_engine")
        conn.execute(f"CREATE PUBLICATION {visit.PUBLICATION}".encode())
        conn.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
        await visit.look(pms.dsn)
        assert left(pms) == (0, 0, None)


async def test_leaving_keeps_the_pms_and_says_so(pms: Database) -> None:
    found = await visit.look(pms.dsn)
    with pms.connect() as conn:
        conn.execute("CREATE SCHEMA booking_engine")
        conn.execute(f"CREATE PUBLICATION {visit.PUBLICATION}".encode())
        conn.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (found.slot,))
        said = "\n".join(await visit.leave(pms.dsn, found))
        assert left(pms) == (0, 0, None)
        assert conn.execute("SELECT count(*) FROM hotels").fetchone() == (2,)
    assert "Left in it: the invented PMS" in said
    assert pms.name in said


async def test_a_database_that_is_gone_is_said_with_the_slot_it_keeps(server: Server) -> None:
    with fresh_database(server) as database:
        found = await visit.look(database.dsn)
    said = "\n".join(await visit.leave(database.dsn, found))
    assert "could not be tidied up" in said
    assert found.slot in said


@pytest.mark.own_server(settings={"wal_level": "replica"})
async def test_a_server_without_logical_replication_is_refused(database: Database) -> None:
    with pytest.raises(InTheWayError, match="ALTER SYSTEM SET wal_level = logical"):
        await visit.look(database.dsn)


def left(pms: Database) -> tuple[object, ...]:
    """Slots and publications of the demo in this database, and Roomwire's schema."""
    with pms.connect() as conn:
        row = conn.execute(
            """SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()),
                (SELECT count(*) FROM pg_publication), to_regnamespace('booking_engine')"""
        ).fetchone()
    assert row is not None
    return row
