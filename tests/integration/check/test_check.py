"""What is wrong with a real server is found, and what is not wrong is let be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from daemon.check.catalogue import ESSENTIAL, FURTHER, Finding
from daemon.check.gather import gather
from daemon.check.refusal import RefusedError, refuse_if_wrong
from daemon.check.verdict import Level
from daemon.cli.check import run_check
from daemon.outbound import outbound
from daemon.replication import slot as slots
from daemon.settings import Settings
from daemon.setup import run_setup
from outbox import endpoints
from outbox import settings as endpoint
from outbox.secrets import new_secret_key
from sql import check as facts
from sql.pool import connect
from tests.support.servers import ON_PG15, ON_PG18
from tests.support.servers.databases import Database


@pytest.fixture
async def settings(pms: Database) -> Settings:
    """Settings of a Roomwire that has been set up, with a role of its own."""
    dsn = make_conninfo(pms.dsn, user=f"{pms.name}_capture", password="capture")
    found = Settings(
        dsn=SecretStr(dsn),
        slot=pms.slot("roomwire"),
        secret_keys=SecretStr(new_secret_key()),
        allowed_networks="127.0.0.0/8",
    )
    await run_setup(found, pms.dsn, dry_run=False, say=lambda _line: None)
    return found


@pytest.fixture
async def ours(settings: Settings) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection as Roomwire has it."""
    async with await connect(settings.dsn.get_secret_value(), application="test") as conn:
        yield conn


async def amiss(settings: Settings) -> dict[str, Finding]:
    found = await run_check(settings, measure_seconds=0.0)
    assert [finding.check for finding in found] == [check.name for check in ESSENTIAL] + [c.name for c in FURTHER]
    # The test's server keeps all log, and its role may not see what others do: that is as it is.
    return {finding.check: finding for finding in found if finding.level and finding.check != "kept"}


async def refusal(conn: psycopg.AsyncConnection, settings: Settings) -> str:
    with pytest.raises(RefusedError) as caught:
        await refuse_if_wrong(conn, settings)
    assert not caught.value.heals
    return str(caught.value)


async def test_a_server_that_was_set_up_is_well(settings: Settings, ours: psycopg.AsyncConnection) -> None:
    assert await amiss(settings) == {}
    await refuse_if_wrong(ours, settings)


async def test_a_check_leaves_nothing_behind(pms: Database, settings: Settings) -> None:
    await slots_but(pms, settings)
    await run_check(settings)
    with pms.connect() as conn:
        made = "select slot_name from pg_replication_slots where database = %s"
        assert conn.execute(made, [pms.name]).fetchall() == []


async def slots_but(pms: Database, settings: Settings) -> None:
    async with await psycopg.AsyncConnection.connect(pms.dsn, autocommit=True) as conn:
        await slots.drop(conn, settings.slot)


@pytest.mark.parametrize(
    "harm",
    [
        ("alter table reservations drop column ota_reservation_id", "columns", "no column ota_reservation_id"),
        ("alter table reservation_addons rename to addons", "columns", "no table reservation_addons"),
        ("alter table clients replica identity nothing", "identities", "rows of clients are deleted"),
        ("revoke select on hotels from {role}", "reading", "may not read hotels"),
        ("alter role {role} noreplication", "replication", "does not have REPLICATION"),
        ("alter schema booking_engine owner to postgres", "schema", "belongs to postgres"),
        ("drop table booking_engine.migration", "migrations", "0001 foundation"),
        (
            "insert into booking_engine.migration values (9999, 'later', '')",
            "migrations",
            "The database has migration 9999 later",
        ),
    ],
)
async def test_what_would_lose_changes_is_refused_with_the_same_sentence(
    pms: Database, settings: Settings, ours: psycopg.AsyncConnection, harm: tuple[str, str, str]
) -> None:
    statement, check, words = harm
    with pms.connect() as owner:
        owner.execute(statement.format(role=f"{pms.name}_capture").encode())
    found = (await amiss(settings))[check]
    assert found.level is Level.wrong
    assert words in found.says
    assert f"{found.says}. {found.remedy}" in await refusal(ours, settings)


async def test_columns_more_are_welcome(pms: Database, settings: Settings, ours: psycopg.AsyncConnection) -> None:
    with pms.connect() as owner:
        owner.execute("alter table reservations add column loyalty int; create table room_service (id int)")
    assert await amiss(settings) == {}
    await refuse_if_wrong(ours, settings)


async def test_a_dropped_publication(pms: Database, settings: Settings) -> None:
    with pms.connect() as owner:
        owner.execute("drop publication roomwire")
    found = (await amiss(settings))["publication"]
    read = pms.server.plugins[0] == "pgoutput"
    assert found.level is (Level.wrong if read else Level.warning)
    assert "roomwire setup" in found.remedy


async def test_a_slot_that_is_missing(pms: Database, settings: Settings) -> None:
    await slots_but(pms, settings)
    assert (await amiss(settings))["slot"].says == f"There is no slot {settings.slot}"


@ON_PG15
async def test_a_plugin_that_the_slot_does_not_have(settings: Settings) -> None:
    found = (await amiss(settings.model_copy(update={"plugin": "pgoutput"})))["plugin"]
    assert found.level is Level.warning
    assert "ROOMWIRE_PLUGIN=wal2json" in found.remedy


@ON_PG18
async def test_a_plugin_that_the_server_does_not_have(pms: Database, settings: Settings) -> None:
    await slots_but(pms, settings)
    found = (await amiss(settings.model_copy(update={"plugin": "wal2json"})))["plugin"]
    assert found.level is Level.wrong
    assert "pgoutput" in found.remedy


async def test_a_time_zone_that_the_server_does_not_know(settings: Settings, ours: psycopg.AsyncConnection) -> None:
    elsewhere = settings.model_copy(update={"time_zone": "Asia/Atlantis"})
    assert (await amiss(elsewhere))["time_zone"].level is Level.wrong
    assert "Asia/Atlantis" in await refusal(ours, elsewhere)


async def test_transactions_show_their_age_to_who_may_see_it(pms: Database, ours: psycopg.AsyncConnection) -> None:
    with pms.connect() as desk, pms.connect() as owner:
        desk.execute("begin; update hotels set name = name")
        pid = str(desk.info.backend_pid)
        (hidden,) = [found for found in await facts.transactions(ours, 300.0) if found.name == pid]
        assert hidden.age is None
        owner.execute(f"grant pg_read_all_stats to {pms.name}_capture".encode())
        assert pid not in {found.name for found in await facts.transactions(ours, 300.0)}
        (seen,) = [found for found in await facts.transactions(ours, 0.0) if found.name == pid]
        assert seen.age is not None
        assert seen.age > 0


async def test_the_log_is_measured(settings: Settings, ours: psycopg.AsyncConnection, pms: Database) -> None:
    async def write() -> None:
        async with await psycopg.AsyncConnection.connect(pms.dsn, autocommit=True) as desk:
            while True:
                await desk.execute("select pg_logical_emit_message(false, 'test', repeat('x', 100000))")

    writing = asyncio.create_task(write())
    found = await gather(ours, settings, measure_seconds=0.6)
    writing.cancel()
    assert found.wal_rate is not None
    assert found.wal_rate > 100_000
    assert found.skew is not None
    assert abs(found.skew) < 1 + found.skew_error


async def test_endpoints_are_reached_and_hear_nothing(settings: Settings, ours: psycopg.AsyncConnection) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await heard.put(await reader.read())
        except ConnectionResetError:
            await heard.put(b"")
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await endpoints.add(
            ours, endpoint.Settings(name="near", url=f"http://127.0.0.1:{port}/hooks"), outbound(settings)
        )
        await endpoints.add(
            ours, endpoint.Settings(name="away", url="http://127.0.0.1:1/hooks"), outbound(settings)
        )
        found = (await amiss(settings))["endpoints"]
        assert "away (127.0.0.1:1: " in found.says
        assert "near" not in found.says
        assert await asyncio.wait_for(heard.get(), 10) == b""


async def test_an_endpoint_that_speaks_no_tls(settings: Settings, ours: psycopg.AsyncConnection) -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await endpoints.add(
            ours, endpoint.Settings(name="plain", url=f"https://127.0.0.1:{port}/hooks"), outbound(settings)
        )
        assert f"plain (127.0.0.1:{port}: " in (await amiss(settings))["endpoints"].says


def opened(pms: Database, settings: Settings, password: str = "writer") -> Settings:
    """The settings with an API."""
    writer = make_conninfo(pms.dsn, user=f"{pms.name}_writer", password=password)
    return settings.model_copy(update={"writer_dsn": SecretStr(writer), "secret_keys": SecretStr(new_secret_key())})


async def test_the_api_s_role(pms: Database, settings: Settings) -> None:
    assert "does not exist" in (await amiss(opened(pms, settings)))["api"].says
    found = opened(pms, settings)
    await run_setup(found, pms.dsn, dry_run=False, say=lambda _line: None)
    assert await amiss(found) == {}
    with pms.connect() as owner:
        owner.execute(
            f"revoke select on booking_engine.api_keys, booking_engine.document from {pms.name}_writer".encode()
        )
    said = (await amiss(found))["api"]
    assert (said.level, said.says) == (
        Level.wrong,
        "The API's role cannot work: it may not read api_keys, document",
    )


async def test_what_bookings_need_of_the_pms(pms: Database, settings: Settings) -> None:
    found = opened(pms, settings)
    await run_setup(found, pms.dsn, dry_run=False, say=lambda _line: None)
    stranger = found.model_copy(update={"pms_user": 99})
    assert (await amiss(stranger))["api"].says == "The PMS has no user 99 that we could write as"
    with pms.connect() as owner:
        owner.execute("delete from clients where name = 'temporary_hold'")
    without = (await amiss(found))["api"]
    assert "client of rooms that are held" in without.says
    assert "22222222-2222-2222-2222-222222222222" in without.remedy
    with pms.connect() as owner:
        role = f"{pms.name}_writer"
        owner.execute(f"revoke delete on reservations from {role}".encode())
        owner.execute(f"revoke update (updated_by) on rooms from {role}".encode())
    said = (await amiss(found))["api"].says
    assert said == "The API's role cannot work: it lacks delete on reservations, update on rooms"


async def test_a_server_that_cannot_be_asked() -> None:
    nowhere = Settings(dsn=SecretStr("host=127.0.0.1 port=1 dbname=pms"))
    (found,) = await run_check(nowhere)
    assert (found.check, found.level) == ("connection", Level.wrong)
    assert "ROOMWIRE_DSN" in found.remedy


@ON_PG18
async def test_who_may_not_see_our_tables_is_not_told_that_they_are_empty(
    pms: Database, settings: Settings
) -> None:
    with pms.connect() as owner:
        owner.execute("alter schema booking_engine owner to postgres")
    found = await amiss(settings)
    for check in ("restored", "endpoints", "secrets", "api"):
        assert "cannot be seen" in found[check].says
        assert "schema" in found[check].remedy
