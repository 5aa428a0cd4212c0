"""What operators do: prepare, look, resync, stop, start again, take back, and lose a slot."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from deploy.pms.simulator import Simulator
from outbox.signing import new_secret
from tests.support.daemon import Roomwire, today, until
from tests.support.mirror.process import MirrorProcess
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database

STANDING = """
    select json_build_object(
        'roles', (select json_agg(rolname order by rolname) from pg_roles),
        'schemas', (select json_agg(nspname order by nspname) from pg_namespace),
        'publications', (select json_agg(p order by p.pubname, p.tablename) from pg_publication_tables p),
        'slots', (select json_agg(slot_name order by slot_name) from pg_replication_slots
            where database = current_database()),
        'grants', (select json_agg(relacl::text order by oid) from pg_class
            where relnamespace = 'public'::regnamespace),
        'tables', (select json_agg(relname order by relname) from pg_class
            where relnamespace = to_regnamespace('booking_engine'))
    )
"""


"""Where the server makes no difference, one is enough."""


def ask(roomwire: Roomwire, question: str, *values: object) -> Any:
    """The first column of the first row, as the PMS's owner."""
    with roomwire.database.connect() as conn:
        cursor = conn.execute(question.encode(), values or None)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


async def refused(roomwire: Roomwire, *words: str) -> str:
    """What a command says on standard error when it ends with exit code 1."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *words),
        env=roomwire.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 1, err.decode()
    assert b"Traceback" not in err
    return err.decode()


def staff(roomwire: Roomwire, seed: int = 31) -> Simulator:
    return Simulator(roomwire.database.dsn, seed=seed, connections=2, today=today(), pause=0.05)


@ON_PG18
async def test_a_dry_run_says_what_a_run_does_and_changes_nothing(pms: Database) -> None:
    roomwire = Roomwire(pms)
    roomwire.settings["ROOMWIRE_DSN"] = make_conninfo(pms.dsn, user=roomwire.role, password="dry-s3cret'")
    before = ask(roomwire, STANDING)
    script = await roomwire.command("setup", "--dry-run")
    assert ask(roomwire, STANDING) == before
    assert "s3cret" not in script
    for said in (
        f'create role "{roomwire.role}" login replication',
        "create publication",
        "grant select",
        roomwire.slot,
    ):
        assert said in script
    said = await roomwire.command("setup")
    assert "s3cret" not in said
    once = ask(roomwire, STANDING)
    assert once["publications"]
    assert once["slots"] == [roomwire.slot]
    # What the dry run printed is what was done: every statement stands in it.
    assert await roomwire.command("setup") != said
    assert ask(roomwire, STANDING) == once
    with psycopg.connect(roomwire.environment()["ROOMWIRE_DSN"]) as conn:
        assert conn.execute("select count(*) > 0 from reservations").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("update reservations set comment = 'ours'")


@ON_PG18
async def test_who_has_not_set_up_is_told_to(pms: Database) -> None:
    roomwire = Roomwire(pms)
    roomwire.settings["ROOMWIRE_PATIENCE_SECONDS"] = "0.5"
    commands = (["run"], ["status"], ["resync"], ["endpoint", "list"])
    for said in await asyncio.gather(*(refused(roomwire, *words) for words in commands)):
        assert "does not exist" in said.splitlines()[-1]
        assert "roomwire setup" in said.splitlines()[-1]
    # Half of it: the role is there, and nothing else.
    with pms.connect() as conn:
        conn.execute(f"create role {roomwire.role} login replication password 'capture'".encode())
    for said in await asyncio.gather(*(refused(roomwire, *words) for words in commands)):
        assert "roomwire setup" in said.splitlines()[-1] or "roomwire migrate" in said.splitlines()[-1]
    assert ask(roomwire, STANDING)["slots"] is None, "who refuses to run leaves no slot that keeps the log"


@ON_PG18
async def test_status_and_resync_show_what_there_is_to_see(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    said = await roomwire.command("status")
    assert "NOBODY LEADS" in said
    assert "mirror" in said
    assert "none yet" in said
    async with roomwire.running() as daemon:
        await roomwire.settled()
        said = await roomwire.command("status")
        assert "All is well" in said
        assert roomwire.slot in said
        assert "booking" in said
        assert "up to date" in said
        assert "NOBODY" not in said
        sent = (await mirror.mirror()).counts.total()
        shown = await roomwire.command("resync", "--hotel", "1")
        assert "Done" in shown
        assert "of hotel 1" in shown
        assert "hotel 2" not in shown
        await roomwire.settled()
        assert (await mirror.mirror()).counts.total() == sent, "nothing differed"
        await roomwire.command("resync", "--no-wait")
        await roomwire.settled()
        # A tombstone of the operator's own making is mended by it.
        ask(roomwire, "update booking_engine.document set body = body || '{\"name\": \"?\"}' where kind = 'hotel'")
        assert "endpoints get what differed" in await roomwire.command("resync")
        await roomwire.settled()
        sent = (await mirror.mirror()).counts.total()
        assert "endpoints get everything anew" in await roomwire.command("resync", "--restored")
        await roomwire.settled()
        told = await mirror.mirror()
        assert told.counts.total() > sent
        assert roomwire.wrong(told) == []
        started = time.monotonic()
        assert await daemon.end() == 0
        assert time.monotonic() - started < 10
    assert roomwire.wrong(await mirror.mirror()) == []
    said = await roomwire.command("status")
    assert "NOBODY LEADS" in said


@ON_PG18
async def test_an_endpoint_is_disabled_enabled_and_removed(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running():
        await roomwire.settled()
        assert "up to date" in await roomwire.command("endpoint", "list")
        await roomwire.command("endpoint", "disable", "mirror")
        before = (await mirror.mirror()).counts.total()
        await staff(roomwire).run(actions=40)
        await roomwire.settled()
        assert "disabled" in await roomwire.command("endpoint", "list")
        assert ask(roomwire, "select count(*) from booking_engine.behind") == 0
        assert (await mirror.mirror()).counts.total() == before
        await roomwire.command("endpoint", "enable", "mirror")
        await roomwire.settled()
        assert roomwire.wrong(await mirror.mirror()) == []
        await roomwire.command("endpoint", "remove", "mirror")
        assert "There is no endpoint yet" in await roomwire.command("endpoint", "list")
        assert "mirror" in await refused(roomwire, "endpoint", "remove", "mirror")


async def new_hotel(roomwire: Roomwire, mirror: MirrorProcess, seed: int) -> None:
    """Open a hotel while Roomwire runs, work in it, and see that the mirror knows."""
    acting = staff(roomwire, seed)
    known = ask(roomwire, "select max(id) from hotels")
    await acting.perform("new_hotel")
    hotel = ask(roomwire, "select max(id) from hotels")
    assert hotel > known
    for flow in ("staff_hold", "outside_booking", "block_room", "change_guests", "change_addons"):
        for _ in range(6):
            await acting.perform(flow)
    assert ask(roomwire, "select count(*) from reservations where hotel_id = %s", hotel) > 0
    await roomwire.settled()
    found = await mirror.mirror()
    assert ("hotel", hotel, "") in found.documents
    assert roomwire.wrong(found) == []


async def test_a_hotel_that_opens_is_served_and_a_lost_slot_heals(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    for number, plugin in enumerate(roomwire.database.server.plugins):
        # The slot is made anew by whoever leads, with the plugin asked for; what it missed comes by a resync.
        ask(roomwire, "select pg_drop_replication_slot(%s)", roomwire.slot)
        await staff(roomwire, 40 + number).run(actions=60)
        roomwire.settings["ROOMWIRE_PLUGIN"] = plugin
        async with roomwire.running() as daemon:
            await roomwire.settled()
            said = ask(roomwire, "select plugin from pg_replication_slots where slot_name = %s", roomwire.slot)
            assert said == plugin
            assert roomwire.wrong(await mirror.mirror()) == []
            await new_hotel(roomwire, mirror, 50 + number)
            assert daemon.log().count('"leading"') == 1, "without a restart"


@pytest.mark.own_server(settings={"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB"})
async def test_a_slot_that_the_server_gave_up_heals_by_itself(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running():
        await roomwire.settled()
    await staff(roomwire).run(actions=60)
    lost = "select wal_status = 'lost' from pg_replication_slots where slot_name = %s"

    async def given_up() -> bool:
        for question in ("select count(pg_logical_emit_message(false, 'fill', repeat('x', 2000000)))"
            " from generate_series(1, 10)", "select pg_switch_wal()", "checkpoint"):  # fmt: skip
            await asyncio.to_thread(ask, roomwire, question)
        return bool(await asyncio.to_thread(ask, roomwire, lost, roomwire.slot))

    assert await until(given_up, 60)
    assert "lost" in await roomwire.command("status")
    assert "is lost: `roomwire run` makes it anew" in await roomwire.command("setup")
    async with roomwire.running() as daemon:
        await roomwire.settled()
        assert "slot_lost" in daemon.log()
        assert '"restored"' not in daemon.log()
    assert ask(roomwire, lost, roomwire.slot) is False
    assert roomwire.wrong(await mirror.mirror()) == []


@ON_PG18
@pytest.mark.own_server
async def test_who_is_asked_to_stop_stops_while_the_server_is_gone(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    async with roomwire.running() as daemon:
        await roomwire.settled()
        await asyncio.to_thread(roomwire.database.server.stop)
        await daemon.logged("reconnecting")
        started = time.monotonic()
        assert await daemon.end() == 0, daemon.log()
        assert time.monotonic() - started < 15
        await asyncio.to_thread(roomwire.database.server.start)
        await staff(roomwire).run(actions=30)
        await daemon.start()
        await roomwire.settled()
    assert roomwire.wrong(await mirror.mirror()) == []


@ON_PG18
async def test_all_is_taken_back_and_made_again(roomwire: Roomwire) -> None:
    async with roomwire.running():
        await roomwire.settled()
    assert "took back" in await roomwire.command("migrate", "--to", "0")
    assert "roomwire migrate" in await refused(roomwire, "run")
    assert "applied" in await roomwire.command("migrate")
    assert "Nothing to do" in await roomwire.command("migrate")
    secret = new_secret()
    async with MirrorProcess(secret) as mirror:
        await roomwire.add_endpoint("mirror", mirror.url, secret)
        async with roomwire.running():
            await roomwire.settled()
        assert roomwire.wrong(await mirror.mirror()) == []
