"""What an operator sees of a running Roomwire: readiness, metrics, status and logs; and no secret anywhere."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from outbox.signing import new_secret
from tests.support.daemon import Daemon, Roomwire, until
from tests.support.mirror.process import MirrorProcess
from tests.support.operations import get, metrics, readiness, ready
from tests.support.servers import Server

MARK = "Tr0ub4dor"


@pytest.fixture
def server(pg18: Server) -> Server:
    """One server is enough: nothing here depends on which it is."""
    return pg18


async def execute(roomwire: Roomwire, database: str, statement: str, *values: object) -> None:
    """Run a statement in one of the server's databases."""
    dsn = roomwire.database.server.dsn(database)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        await conn.execute(statement.encode(), values or None)


async def rows(roomwire: Roomwire, question: str) -> list[str]:
    """The answers to a question of the PMS's database."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        return [row[0] for row in await (await conn.execute(question.encode())).fetchall()]


def events(daemon: Daemon) -> list[dict[str, Any]]:
    """Its log: every line of it is JSON."""
    return [json.loads(line) for line in daemon.log().splitlines()]


async def test_ready_while_the_database_is_there_and_alive_without(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    name = roomwire.database.name
    async with roomwire.running() as daemon, roomwire.running("--only", "delivery", "--only", "api") as courier:
        said = await ready(daemon, "leader")
        assert said["lag_seconds"] < 5
        assert (await ready(courier, "none"))["parts"] == ["api", "delivery"]
        await execute(roomwire, "postgres", f"alter database {name} allow_connections false")
        await execute(
            roomwire, "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", name
        )

        async def unready() -> bool:
            (status, said), (other, reasons) = [await readiness(one) for one in (daemon, courier)]
            # The stream and whoever looks at the database notice each for itself.
            named = [reason.partition(":")[0] for reason in said["reasons"]]
            return (status, other) == (503, 503) and bool(reasons["reasons"]) and named == ["database", "capture"]

        assert await until(unready, 60), daemon.log()
        _, said = await readiness(daemon)
        assert said["role"] == "reconnecting"
        assert await get(daemon, "/livez") == (200, '{"status": "ok"}')
        assert (await metrics(daemon))["roomwire_database_up"] == 0
        await execute(roomwire, "postgres", f"alter database {name} allow_connections true")
        await ready(daemon, "leader")
        await ready(courier, "none")
    assert "reconnecting" in {line["event"] for line in events(daemon)}


async def test_metrics_and_status_tell_what_has_been_done(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    async with roomwire.running() as daemon:
        await roomwire.settled()
        before = await metrics(daemon)
        assert before['roomwire_endpoint_state{endpoint="mirror",state="healthy"}'] == 1
        await execute(
            roomwire, roomwire.database.name, "update reservations set comment = 'measured' where hotel_id = 1"
        )
        await roomwire.settled()

        async def seen() -> bool:
            found = await metrics(daemon)
            return found['roomwire_endpoint_behind_keys{endpoint="mirror"}'] == 0

        assert await until(seen, 60)
        after = await metrics(daemon)
        risen = {name for name, value in after.items() if value > before.get(name, 0.0)}
        assert risen >= {
            "roomwire_capture_changes_total",
            "roomwire_capture_transactions_total",
            "roomwire_capture_keys_total",
            'roomwire_capture_documents_total{kind="booking"}',
            "roomwire_capture_batch_keys_sum",
            "roomwire_capture_batch_duration_seconds_count",
            "roomwire_commit_to_document_seconds_count",
            'roomwire_delivery_attempts_total{endpoint="mirror",outcome="delivered"}',
            'roomwire_delivery_keys_total{endpoint="mirror"}',
            'roomwire_document_to_delivered_seconds_count{endpoint="mirror"}',
            'roomwire_commit_to_delivered_seconds_count{endpoint="mirror"}',
        }
        assert after["roomwire_leader"] == 1
        assert after['roomwire_slot_state{state="streamed"}'] == 1
        assert after["roomwire_checkpoint_age_seconds"] < 30
        text = await roomwire.command("status")
        said = json.loads(await roomwire.command("status", "--json"))
    assert "All is well." in text
    assert (said["ok"], said["troubles"]) == (True, [])
    assert said["leader"]["application"] == "roomwire capture"
    assert said["leader"]["pid"] == said["slot"]["active_pid"]
    assert said["documents"]["booking"] > 0
    assert [(row["name"], row["behind"]) for row in said["endpoints"]] == [("mirror", 0)]
    said = json.loads(await roomwire.command("status", "--json"))
    assert (said["leader"], said["lag_seconds"]) == (None, None)
    assert said["troubles"][0].startswith("NOBODY LEADS")


async def test_watching_goes_on_until_ctrl_c(roomwire: Roomwire) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "status", "--watch", "--json"),
        env=roomwire.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        looks = [json.loads(await process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert looks[0]["now"] < looks[1]["now"]
    assert (process.returncode, errors) == (0, b"")


async def test_no_secret_shows_anywhere(roomwire: Roomwire) -> None:
    secret = new_secret()
    dsn = make_conninfo(roomwire.environment()["ROOMWIRE_DSN"], password=MARK)
    await execute(roomwire, "postgres", f"alter role {roomwire.role} password '{MARK}'")
    roomwire.settings |= {"ROOMWIRE_DSN": dsn, "ROOMWIRE_LOG_LEVEL": "debug"}
    async with garbage() as (host, port):
        address = f"http://{host}:{port}/hook?token={MARK}"
        header = f"Authorization: Bearer {MARK}"
        shown = [
            await roomwire.command("endpoint", "add", "babbler", address, "--secret", secret, "--header", header)
        ]
        shown.append(
            await roomwire.command("endpoint", "add", "nobody", f"http://127.0.0.1:9/?{MARK}", "--secret", secret)
        )
        async with roomwire.running() as daemon:
            await daemon.logged('"endpoint": "babbler", "state"')
            await daemon.logged('"endpoint": "nobody", "state"')
            # Words of an endpoint's failure are written down before they are shown.
            shown.append(await roomwire.command("status"))
            shown.append(await roomwire.command("status", "--json"))
            shown += [await roomwire.command("endpoint", *words) for words in (["list"], ["show", "babbler"])]
            shown += await rows(roomwire, "select secret || headers::text from booking_engine.endpoint")
            shown += await rows(roomwire, "select a::text from booking_engine.attempt a")
            shown += [(await get(daemon, path))[1] for path in ("/metrics", "/readyz")]
    shown.append(daemon.log())
    roomwire.settings["ROOMWIRE_DSN"] = make_conninfo(dsn, host="127.0.0.1", port=9)
    async with roomwire.running() as lost:
        await lost.logged('"library": "psycopg.pool"')
    shown.append(lost.log())
    for text in shown:
        assert MARK not in text
        assert secret not in text
        assert secret.removeprefix("whsec_") not in text


@asynccontextmanager
async def garbage() -> AsyncIterator[tuple[str, int]]:
    """A server that speaks no HTTP, or says all that it heard: a client's error would name the whole address."""
    came = itertools.count()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.readuntil(b"\r\n\r\n")
        answers = [
            b"HTTP/1.1 what?\r\n\r\n",
            b"HTTP/1.1 503 No\r\ncontent-length: %d\r\n\r\n%s" % (len(heard), heard),
        ]
        writer.write(answers[next(came) % 2])
        writer.close()

    babbler = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with babbler:
        yield babbler.sockets[0].getsockname()
