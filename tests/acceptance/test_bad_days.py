"""Bad input and bad days: a clear line with what to do about it, or waiting for a reason that shows; never a trace.

What does not depend on the server runs on one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping

import psycopg
import pytest

from daemon.replication import errors
from tests.support.daemon import Daemon, Ended, Roomwire, until
from tests.support.mirror.process import MirrorProcess
from tests.support.servers import ON_PG15, ON_PG18
from tests.support.servers.databases import Database

NOWHERE = "postgresql://capture:s3cret@127.0.0.1:1/pms"


async def attempt(words: list[str], environment: Mapping[str, str]) -> Ended:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", *words),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode is not None
    return discreet(Ended(process.returncode, out.decode(), err.decode()))


def discreet(ended: Ended) -> Ended:
    """A command that showed neither a trace nor a password."""
    assert "Traceback" not in ended.out + ended.err
    assert "s3cret" not in ended.out + ended.err
    return ended


def complaint(text: str) -> str:
    """The one line that is no log of what happened meanwhile, or the log's one error."""
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    plain = [line for line in text.splitlines() if line and not line.startswith("{")]
    (line,) = plain + [str(event["error"]) for event in events if event["level"] == "error"]
    return line


async def refused(roomwire: Roomwire) -> str:
    """What `roomwire run` says before it ends by itself; `roomwire check` must have said it before."""
    checked = discreet(await roomwire.attempt("check", "--json"))
    assert checked.code == 2, checked.out
    run = discreet(await roomwire.attempt("run", "--only", "capture"))
    assert run.code == 1, run.err
    said = complaint(run.err)
    wrong = [found for found in json.loads(checked.out)["checks"] if found["level"] == "wrong"]
    assert any(f"{found['says']}. {found['remedy']}" in said for found in wrong), (said, wrong)
    return said


async def ended(daemon: Daemon) -> str:
    """What a daemon complained of when it ended by itself, with an exit code other than 0."""
    assert daemon.process is not None
    async with asyncio.timeout(90):
        assert await daemon.process.wait() == 1
    assert "Traceback" not in daemon.log()
    return complaint(daemon.log())


def owner(database: Database, statement: str) -> None:
    with database.connect() as conn:
        conn.execute(statement.encode())


def drop_slot(roomwire: Roomwire) -> None:
    owner(roomwire.database, f"select pg_drop_replication_slot('{roomwire.slot}')")


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["run"], {"ROOMWIRE_DSN": "postgres//capture:s3cret@db/pms"}, "ROOMWIRE_DSN"),
        (["run"], {"ROOMWIRE_DSN": "host=db user"}, "ROOMWIRE_DSN"),
        (["run"], {"ROOMWIRE_DSN": ""}, "ROOMWIRE_DSN"),
        (["setup", "--owner-dsn", "host=db user"], {}, "ROOMWIRE_OWNER_DSN"),
        (["run", "--only", "captures"], {}, "There is no part captures; the parts are capture, delivery, api"),
        (["run"], {"ROOMWIRE_PLUGIN": "decoderbufs"}, "'auto', 'wal2json' or 'pgoutput'"),
        (["run"], {"ROOMWIRE_TIME_ZONE": "Asia/Tokio"}, "Asia/Tokyo"),
        (["run"], {"ROOMWIRE_AGENT_FILE": "/nowhere/agent"}, "ROOMWIRE_AGENT_FILE: /nowhere/agent"),
        (["status"], {}, "127.0.0.1"),
        (["migrate"], {}, "127.0.0.1"),
        (["run"], {"ROOMWIRE_PATIENCE_SECONDS": "0.5"}, "127.0.0.1"),
    ],
)
async def test_bad_input_is_told_in_a_line(words: list[str], environment: dict[str, str], said: str) -> None:
    found = await attempt(words, {"ROOMWIRE_DSN": NOWHERE, "ROOMWIRE_API_PORT": "0", **environment})
    assert found.code in (1, 2)
    assert said in found.err
    assert len([line for line in found.err.splitlines() if not line.startswith("{")]) <= 2


async def test_a_check_of_nothing_says_so_and_exits_with_2() -> None:
    nowhere = await attempt(["check"], {"ROOMWIRE_DSN": NOWHERE})
    assert nowhere.code == 2
    assert "pg_hba.conf" in nowhere.out
    assert (await attempt(["check"], {"ROOMWIRE_DSN": "host=db user"})).code == 2


@ON_PG18
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("alter role {role} noreplication", errors.NotPermittedError.remedy),
        ("alter table reservations drop column ota_reservation_id", "has no column ota_reservation_id"),
        ("alter table clients replica identity nothing", "REPLICA IDENTITY FULL"),
        ("drop schema booking_engine cascade", "There is no schema booking_engine"),
    ],
)
async def test_run_refuses_what_would_lose_changes(roomwire: Roomwire, harm: str, said: str) -> None:
    owner(roomwire.database, harm.format(role=roomwire.role))
    assert said in await refused(roomwire)


@ON_PG18
async def test_a_plugin_that_is_not_there(roomwire: Roomwire) -> None:
    drop_slot(roomwire)
    roomwire.settings["ROOMWIRE_PLUGIN"] = "wal2json"
    # Since 18.6 the server asks its list of plugins before it looks for the library.
    assert "or use pgoutput" in await refused(roomwire)


@ON_PG15
@pytest.mark.own_server(settings={"wal_level": "replica"})
async def test_a_server_that_logs_too_little(pms: Database) -> None:
    roomwire = Roomwire(pms)
    setup = await attempt(["setup"], roomwire.environment())
    assert setup.code == 1
    assert "wal_level is replica. Set wal_level = logical and restart PostgreSQL." in setup.err
    assert "wal_level is replica. Set wal_level = logical" in await refused(roomwire)


@ON_PG15
async def test_a_column_that_goes_while_it_runs(roomwire: Roomwire) -> None:
    async with roomwire.running("--only", "capture") as daemon:
        await daemon.logged('"leading"')
        owner(roomwire.database, "alter table reservations drop column ota_reservation_id")
        owner(roomwire.database, "update reservations set comment = 'changed'")
        said = await ended(daemon)
    assert "ota_reservation_id" in said
    assert "`roomwire check`" in said


async def test_a_publication_that_goes_while_it_runs_loses_nothing(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    drop_slot(roomwire)
    roomwire.settings["ROOMWIRE_PLUGIN"] = "pgoutput"
    async with roomwire.running() as daemon:
        await daemon.logged('"leading"')
        owner(roomwire.database, "drop publication roomwire")
        owner(roomwire.database, "update hotels set name = name || ' 別館'")
        assert errors.PublicationMissingError.remedy in await ended(daemon)
    assert errors.PublicationMissingError.remedy in await refused(roomwire)
    await roomwire.command("setup")
    async with roomwire.running():
        await roomwire.settled()
    assert roomwire.wrong(await mirror.mirror()) == []


@ON_PG15
async def test_a_second_daemon_stands_by(roomwire: Roomwire) -> None:
    async with roomwire.running() as first:
        await first.logged('"leading"')
        async with roomwire.running() as second:
            await second.logged("another Roomwire leads")
            assert '"leading"' not in second.log()


@ON_PG18
async def test_an_endpoint_that_is_away_is_waited_for(roomwire: Roomwire) -> None:
    await roomwire.add_endpoint("away", "http://127.0.0.1:1/hooks", "whsec_" + "QUJD" * 8)
    checked = await attempt(["check"], roomwire.environment())
    assert checked.code == 1
    assert "Not reached: away (127.0.0.1:1: " in checked.out
    async with roomwire.running():

        async def shown() -> bool:
            return "127.0.0.1:1" in (await roomwire.command("status")).partition("http://127.0.0.1:1/hooks")[2]

        assert await until(shown, 30), await roomwire.command("status")


@ON_PG15
@pytest.mark.own_server(settings={"max_replication_slots": "1"})
async def test_a_full_slot_list_is_waited_for(roomwire: Roomwire) -> None:
    drop_slot(roomwire)
    owner(roomwire.database, "select pg_create_physical_replication_slot('another')")
    async with roomwire.running() as daemon:
        await daemon.logged(errors.NoFreeSlotError.remedy)
        assert (await attempt(["check"], roomwire.environment())).code == 2
        owner(roomwire.database, "select pg_drop_replication_slot('another')")
        await daemon.logged('"leading"')


@pytest.mark.own_server(durable=True)
async def test_postgresql_restarts(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running() as daemon:
        await roomwire.settled()
        server = roomwire.database.server
        await asyncio.to_thread(server.stop)
        await daemon.logged('"reconnecting"')
        status = await attempt(["status"], roomwire.environment())
        assert status.code == 1
        await asyncio.to_thread(server.start)
        with psycopg.connect(roomwire.database.dsn) as desk:
            desk.execute("update hotels set name = name || ' 新館'")
        await roomwire.settled()
        assert daemon.process is not None
        assert daemon.process.returncode is None
    assert "Traceback" not in daemon.log()
    assert roomwire.wrong(await mirror.mirror()) == []
