"""The test PMS behaves as the real one does where that matters to Roomwire."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from deploy.pms import install
from tests.support.servers.databases import Database
from tests.support.truth import truth

TODAY = date(2026, 11, 23)
Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def conn(pms: Database) -> Iterator[Connection]:
    """A session of the application on the small PMS."""
    with pms.connect() as conn:
        yield conn


def one(conn: Connection, query: str, *params: object) -> Any:
    row = conn.execute(query.encode(), params).fetchone()
    assert row is not None
    return row[0]


def hold(conn: Connection, room: int, night: date = TODAY) -> uuid.UUID:
    """Insert a hold of one night, unconditionally."""
    reservation = uuid.uuid4()
    conn.execute(
        """INSERT INTO reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people,
            created_by, updated_by)
        VALUES (%s, 1, '22222222-2222-2222-2222-222222222222', %s, %s::date + 1, 1, 1, 1)""",
        (reservation, night, night),
    )
    conn.execute(
        """INSERT INTO reservation_details (hotel_id, reservation_id, date, room_id, number_of_people, updated_by)
        VALUES (1, %s, %s, %s, 1, 1)""",
        (reservation, night, room),
    )
    return reservation


def test_an_ordinary_owner_can_install_it(database: Database) -> None:
    name = sql.Identifier(f"{database.name}_owner")
    with database.connect() as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        conn.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(name))
    with psycopg.connect(database.dsn) as conn:
        conn.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(name))
        conn.commit()
        install(conn, hotels=1, days=3, today=TODAY)
    with database.connect() as conn:
        conn.execute(sql.SQL("DROP OWNED BY {}").format(name))


def test_the_same_seed_gives_the_same_business(database: Database, pms: Database) -> None:
    with psycopg.connect(database.dsn) as conn:
        install(conn, hotels=2, days=5, today=TODAY)
        first = truth(conn, TODAY)
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public")
        install(conn, hotels=2, days=5, today=TODAY)
        assert truth(conn, TODAY) == first
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public")
        install(conn, seed=2, hotels=2, days=5, today=TODAY)
        assert truth(conn, TODAY) != first


def test_the_seed_books_no_room_twice_and_fills_the_house_within_reason(conn: Connection) -> None:
    twice = """SELECT count(*) FROM (SELECT FROM reservation_details WHERE cancelled IS NULL
        GROUP BY room_id, date HAVING count(*) > 1) AS doubles"""
    assert one(conn, twice) == 0
    share = """SELECT count(*) / (count(DISTINCT date) * (SELECT count(*) FROM rooms))::float
        FROM reservation_details WHERE cancelled IS NULL"""
    assert 0.4 <= one(conn, share) <= 0.7


def test_the_seed_counts_rooms_as_the_trigger_does(conn: Connection) -> None:
    counts = """SELECT count(*) FROM hotels h
        WHERE total_rooms <> (SELECT count(*) FROM rooms r WHERE r.hotel_id = h.id AND for_sale)"""
    assert one(conn, counts) == 0
    before = one(conn, "SELECT total_rooms FROM hotels WHERE id = 1")
    conn.execute("UPDATE rooms SET for_sale = false WHERE id = (SELECT min(id) FROM rooms WHERE hotel_id = 1)")
    assert one(conn, "SELECT total_rooms FROM hotels WHERE id = 1") == before - 1


def test_a_change_is_logged_under_its_leaf_and_announced(conn: Connection) -> None:
    room = one(conn, "SELECT min(id) FROM rooms WHERE hotel_id = 1")
    conn.execute("LISTEN reservation_log_inserted")
    reservation = hold(conn, room)
    conn.execute("UPDATE reservations SET comment = 'x', updated_by = 3 WHERE id = %s", (reservation,))
    logged = conn.execute(
        "SELECT id, table_name, action, user_id, changes FROM logs_reservation ORDER BY id"
    ).fetchall()
    assert [row[1:4] for row in logged] == [
        ("reservations_1", "INSERT", 1),
        ("reservation_details_1", "INSERT", 1),
        ("reservations_1", "UPDATE", 3),
    ]
    assert logged[2][4]["old"]["comment"] is None
    assert logged[2][4]["new"]["comment"] == "x"
    heard = {notice.payload for notice in conn.notifies(timeout=10, stop_after=3)}
    assert heard == {str(row[0]) for row in logged}


def test_a_delete_fails_where_a_finished_transaction_left_the_user_empty(conn: Connection) -> None:
    reservation = hold(conn, one(conn, "SELECT min(id) FROM rooms WHERE hotel_id = 1"))
    with conn.transaction():
        conn.execute("SET LOCAL my_app.user_id = '1'")
    with pytest.raises(errors.InvalidTextRepresentation):
        conn.execute("DELETE FROM reservations WHERE id = %s", (reservation,))
    with pytest.raises(errors.InvalidTextRepresentation):
        conn.execute("UPDATE reservations SET updated_by = NULL WHERE id = %s", (reservation,))
    with conn.transaction():
        conn.execute("SET LOCAL my_app.user_id = '1'")
        conn.execute("DELETE FROM reservations WHERE id = %s", (reservation,))
    assert one(conn, "SELECT count(*) FROM reservation_details WHERE reservation_id = %s", reservation) == 0


def test_nothing_prevents_two_reservations_on_one_room_night(conn: Connection) -> None:
    room = one(conn, "SELECT min(id) FROM rooms WHERE hotel_id = 1")
    night = date(2030, 1, 1)
    first = hold(conn, room, night)
    hold(conn, room, night)
    with pytest.raises(errors.UniqueViolation):
        conn.execute(
            """INSERT INTO reservation_details (hotel_id, reservation_id, date, room_id, number_of_people,
                updated_by)
            VALUES (1, %s, %s, %s, 1, 1)""",
            (first, night, room),
        )


def test_publishing_all_tables_breaks_the_pms(conn: Connection) -> None:
    conn.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    conn.execute("INSERT INTO acc_yayoi_data (hotel_id) VALUES (1)")
    with pytest.raises(errors.ObjectNotInPrerequisiteState):
        conn.execute("DELETE FROM acc_yayoi_data WHERE hotel_id = 1")


def test_a_new_hotel_gets_leaves_with_default_identity_and_one_family_is_named_otherwise(conn: Connection) -> None:
    with conn.transaction():
        hotel = one(conn, "INSERT INTO hotels (name, updated_by) VALUES ('新館', 1) RETURNING id")
        conn.execute("SELECT create_hotel_partitions(%s)", (hotel,))
    leaves = conn.execute(
        """SELECT p.relname, c.relname FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE c.relkind = 'r' AND c.relreplident = 'd' AND pg_get_expr(c.relpartbound, c.oid) = %s""",
        (f"FOR VALUES IN ({hotel})",),
    ).fetchall()
    named = {parent: leaf.removeprefix(parent) for parent, leaf in leaves}
    assert named.pop("reservation_clients") == f"_h{hotel}"
    assert len(named) == 11
    assert set(named.values()) == {f"_{hotel}"}


def test_plan_rates_belong_to_one_plan(conn: Connection) -> None:
    with pytest.raises(errors.CheckViolation):
        conn.execute(
            """INSERT INTO plans_rates (hotel_id, adjustment_type, adjustment_value, date_start)
            VALUES (1, 'base_rate', 1, now())"""
        )
    net = """SELECT net_price FROM plans_rates
        WHERE adjustment_type = 'base_rate' AND adjustment_value = 8000"""
    assert one(conn, net) == 7273


def test_the_command_installs_it(database: Database) -> None:
    command = [sys.executable, "-m", "deploy.pms", "install", "--dsn", database.dsn, "--hotels", "1", "--days", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "installed: 1 hotels, 2 days ahead\n"
    with database.connect() as conn:
        assert one(conn, "SELECT count(*) FROM rooms") == 60
