"""The servers and databases that every integration test stands on."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database, template


def test_a_server_is_what_it_says(server: Server) -> None:
    with psycopg.connect(server.dsn()) as connection:
        settings = connection.execute("SELECT current_setting('wal_level'), current_user").fetchone()
        assert settings == ("logical", server.superuser)
        assert connection.info.server_version // 10000 == server.version


def test_every_plugin_decodes(server: Server, database: Database) -> None:
    with database.connect() as connection:
        for plugin in server.plugins:
            connection.execute("SELECT pg_create_logical_replication_slot(%s, %s)", [database.slot(plugin), plugin])


def test_tcp_asks_for_the_password(server: Server) -> None:
    host, port = server.address
    with psycopg.connect(server.dsn(tcp=True)) as connection:
        assert connection.info.port == port
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=host, port=port, user=server.superuser, password="wrong", dbname="postgres")


def test_a_database_takes_its_slots_connections_and_roles_with_it(server: Server) -> None:
    with fresh_database(server) as database, database.connect() as left_open:
        left_open.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [database.slot()])
        left_open.execute("CREATE TABLE t (i int); CREATE ROLE passing; GRANT SELECT ON t TO passing")
        name, slot = database.name, database.slot()
    with psycopg.connect(server.dsn()) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM pg_database WHERE datname = %s),"
            " (SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s),"
            " (SELECT count(*) FROM pg_roles WHERE rolname = 'passing')",
            [name, slot],
        ).fetchone()
    assert counts == (0, 0, 0)


def test_a_template_is_filled_once(server: Server) -> None:
    fills: list[int] = []

    def fill(connection: psycopg.Connection) -> None:
        fills.append(1)
        connection.execute("CREATE TABLE seeded AS SELECT 7 AS n")

    for _ in range(2):
        sevens = template(server, "template_of_sevens", fill)
        with fresh_database(server, sevens) as database, database.connect() as connection:
            assert connection.execute("SELECT n FROM seeded").fetchone() == (7,)
            connection.execute("DROP TABLE seeded")
    assert fills == [1]


@pytest.mark.own_server(settings={"work_mem": "7MB"})
def test_an_own_server_keeps_its_address_and_data_through_restart_and_crash(
    server: Server, database: Database
) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT current_setting('work_mem') AS memory")
    for outage in (server.restart, server.crash, server.stop):
        outage()
        if outage != server.restart:
            with pytest.raises(psycopg.OperationalError):
                database.connect()
            server.start()
        with database.connect() as connection:
            assert connection.execute("SELECT memory FROM kept").fetchone() == ("7MB",)


def test_a_pms_is_seeded_anew_for_every_test(server: Server, pms: Database) -> None:
    with pms.connect() as connection:
        assert connection.execute("SELECT count(*) FROM hotels").fetchone() == (2,)
