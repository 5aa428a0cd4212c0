"""The API as an operator opens it: setup, a key by command, a process, a request."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import aiohttp
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.embedded import free_port
from tests.support.daemon import SECRET_KEY, Roomwire, until
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database

pytestmark = ON_PG18

README = Path(__file__).parents[2] / "README.md"


async def get(url: str, key: str) -> tuple[int, dict[str, str], str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, headers={"Authorization": f"Bearer {key}"}) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.text()


async def test_what_setup_prepares_serves_a_key_that_a_command_made(pms: Database) -> None:
    roomwire = Roomwire(pms)
    await roomwire.command("setup")
    key = await roomwire.add_key()
    async with roomwire.running() as daemon:
        url = await daemon.api()

        async def read() -> bool:
            status, _, text = await get(f"{url}/hotels", key)
            assert status == 200, text
            said = json.loads(text)
            return len(said["hotels"]) == 2 and said["stale"] is False

        assert await until(read, 30), daemon.log()
        status, headers, _ = await get(f"{url}/room-types/1", key)
        assert status == 200
        assert "Server" not in headers
    said = daemon.log()
    for secret in (
        key,
        SECRET_KEY,
        str(conninfo_to_dict(roomwire.environment()["ROOMWIRE_WRITER_DSN"])["password"]),
    ):
        assert secret not in said.replace(roomwire.writer, "")


async def test_a_revoked_key_ends_within_seconds(pms: Database) -> None:
    roomwire = Roomwire(pms)
    await roomwire.command("setup")
    key = await roomwire.add_key()
    async with roomwire.running("--only", "api") as daemon:
        url = await daemon.api()
        assert (await get(f"{url}/hotels", key))[0] == 200
        await roomwire.command("key", "revoke", key[3:15])

        async def refused() -> bool:
            return (await get(f"{url}/hotels", key))[0] == 401

        assert await until(refused, 60)
    assert "revoked" in await roomwire.command("key", "list")


async def test_without_secret_keys_only_operations_are_answered(pms: Database) -> None:
    roomwire = Roomwire(pms, {"ROOMWIRE_SECRET_KEYS": ""})
    await roomwire.command("setup")
    async with roomwire.running("--only", "api") as daemon:
        url = await daemon.api()
        await daemon.logged('"missing": "ROOMWIRE_SECRET_KEYS"')
        status, _, text = await get(f"{url}/hotels", "rw_none")
        assert (status, json.loads(text)["code"]) == (404, "not_found")
        assert (await get(url.replace("/api/booking-engine", "/livez"), ""))[0] == 200


async def test_the_readme_s_commands_run_as_they_are_printed(pms: Database) -> None:
    roomwire = Roomwire(pms)
    text = README.read_text(encoding="utf-8")
    keys = re.search(r"    export ROOMWIRE_SECRET_KEYS.*\n", text)
    asking = re.search(r"(    export ROOMWIRE_WRITER_DSN.*?)\n\n", text, re.DOTALL)
    assert keys is not None
    assert asking is not None
    writer = make_conninfo(pms.dsn, user=roomwire.writer, password="w")
    script = keys[0].replace("roomwire/bin/", "") + re.sub(r"'postgresql://[^']*'", f"'{writer}'", asking[1])
    given = roomwire.environment() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "bash", "-ec", f"trap 'kill %1 && wait %1' EXIT; {script.replace('8080', str(port)).strip()}",
        env={name: value for name, value in given.items() if name != "ROOMWIRE_SECRET_KEYS"}
        | {"ROOMWIRE_API_PORT": str(port)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, log = await process.communicate()
    assert process.returncode == 0, log.decode()
    assert "hotels" in json.loads(said.decode().splitlines()[-1]), said.decode()


async def test_keys_are_listed_without_being_shown_and_rotated(pms: Database) -> None:
    roomwire = Roomwire(pms)
    await roomwire.command("setup")
    assert "no key yet" in await roomwire.command("key", "list")
    options = ("--scope", "book", "--scope", "read", "--hotel", "2", "--address", "127.0.0.1", "--days", "30")
    old = await roomwire.add_key(*options, "--requests-per-minute", "77", client="sakura")
    said = await roomwire.command("key", "rotate", old[3:15], "--overlap-hours", "2")
    (new,) = re.findall(r"rw_\w{50}", said)
    first, second = (await roomwire.command("key", "list")).splitlines()
    for line, key in ((first, old), (second, new)):
        assert line.startswith(key[3:15])
        assert "sakura  read, book; hotels 2, from 127.0.0.1/32; 77/min" in line
        assert key not in line
    assert "until " in first
    assert "valid, never used" in second


async def test_setup_shows_no_password(pms: Database) -> None:
    roomwire = Roomwire(pms)
    dsn = make_conninfo(pms.dsn, user=roomwire.writer, password="s3cret-of-the-writer")
    roomwire.settings["ROOMWIRE_WRITER_DSN"] = dsn
    said = await roomwire.command("setup", "--dry-run") + await roomwire.command("setup")
    assert f'alter role "{roomwire.writer}" password …' in said
    assert 'in schema booking_engine grant select, insert, update, delete on tables to "' in said
    assert "s3cret" not in said
    assert SECRET_KEY not in said


async def test_what_was_not_written_down_yet_is_when_it_ends(pms: Database) -> None:
    roomwire = Roomwire(pms)
    await roomwire.command("setup")
    key = await roomwire.add_key()
    async with roomwire.running("--only", "api") as daemon:
        url = await daemon.api()
        headers = {"Authorization": f"Bearer {key}", "X-Request-Id": "the-last-one"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{url}/auth/token", json={}) as answer,
        ):
            assert answer.status == 200
        assert await daemon.end() == 0
    with pms.connect() as conn:
        rows = conn.execute("select request_id, status from booking_engine.audit_log").fetchall()
        assert rows == [("the-last-one", 200)]
        used = conn.execute("select last_used_at is not null from booking_engine.api_keys").fetchall()
        assert used == [(True,)]
