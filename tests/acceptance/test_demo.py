"""`roomwire demo` as somebody who tries it sees it: by its output, its page, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.demo.chromium import Tab, browsing, installed
from tests.integration.demo.test_visit import left
from tests.integration.test_embedded import await_end, needs_pidfd
from tests.support.daemon import until
from tests.support.servers.databases import Database

SECONDS = 120.0
"""How long anything may take on a machine that is busy with other tests."""

pytestmark = needs_pidfd


class Demo:
    """A demo as a process, with a folder for temporary files of its own.

    Attributes:
        said: What it has printed so far.
        url: Its page, once `shown` has returned.
    """

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.said, self.url = "", ""

    async def says(self, words: str) -> None:
        """Wait until it has printed these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while words not in self.said:
                more = await self.process.stdout.read(4096)
                assert more, f"it ended before it said {words!r}:\n{self.said}"
                self.said += more.decode()

    async def shown(self) -> None:
        """Wait until it has printed where its page is, which it does once `roomwire run` is started."""
        await self.says("Its webhook")
        self.url = next(word for word in self.said.split() if word.startswith("http://"))

    async def state(self) -> dict[str, Any]:
        """What its page is told."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}state") as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def in_step(self) -> None:
        """Wait until the first sync is done."""
        await self.says("at work")

    async def end(self, how: signal.Signals | None) -> int:
        """Send a signal, if one is given, and wait for the end; returns the exit code."""
        assert self.process.stdout is not None
        running = children(self.process.pid)
        if how is not None:
            self.process.send_signal(how)
        async with asyncio.timeout(SECONDS):
            self.said += (await self.process.stdout.read()).decode()
            code = await self.process.wait()
        await asyncio.to_thread(await_end, running)
        return code


@asynccontextmanager
async def demo(*words: str) -> AsyncIterator[Demo]:
    """Run `roomwire demo`; in the end nothing of it may be left."""
    folder = Path(tempfile.mkdtemp(prefix="demo-test-"))
    os.chmod(folder, 0o755)  # PostgreSQL's account has to reach what lies below
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", "demo", "--port", "0", *words,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Demo(process, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()

        async def empty() -> bool:
            return not os.listdir(folder)

        gone = await until(empty, SECONDS)
        rest = os.listdir(folder)
        shutil.rmtree(folder)
    assert gone, f"it left {rest}"


async def test_it_shows_three_hotels_takes_bookings_and_ctrl_c_leaves_nothing() -> None:
    async with demo("--rate", "0") as running:
        await running.shown()
        await running.in_step()
        told = await running.state()
        assert len(told["hotels"]) == 3
        assert told["figures"]["verified"] == told["figures"]["received"] > 4000
        assert told["figures"]["refused"] == 0
        assert all(night for hotel in told["hotels"] for one in hotel["room_types"] for night in one["nights"])
        if installed():
            await see_the_page(running)
        await book_at_the_front_desk(running)
        await ask_the_api(running)
        assert await running.end(signal.SIGINT) == 0
    assert "nothing is left running" in running.said
    if not installed():
        pytest.skip("all but the page is as it should be: Chromium is not installed")


async def ask_the_api(running: Demo) -> None:
    """Call the API as the demo says it can be called."""
    found = re.search(r"curl -H 'Authorization: (Bearer \w+)' (\S+)", running.said)
    assert found is not None
    async with aiohttp.ClientSession() as http, http.get(found[2], headers={"Authorization": found[1]}) as answer:
        assert len((await answer.json())["hotels"]) == 3


async def book_at_the_front_desk(running: Demo) -> None:
    """Book the last night that the calendar shows, and see it there."""
    before = await running.state()
    column, hotel = len(before["nights"]) - 1, before["hotels"][2]
    row, free = next(
        (n, one["nights"][column][1]) for n, one in enumerate(hotel["room_types"]) if one["nights"][column][1]
    )
    wish = {"room_type": hotel["room_types"][row]["id"], "check_in": before["nights"][column], "nights": 1}
    address, asked = f"{running.url}front-desk", {"hotel": hotel["id"], **wish}
    async with aiohttp.ClientSession() as http, http.post(address, json=asked) as answer:
        booked = await answer.json()
    assert (booked["event"], booked["status"], booked["hotel_id"]) == ("created", "hold", hotel["id"])
    assert 0 < booked["delay"] < SECONDS * 1000

    async def seen() -> bool:
        now = await running.state()
        confirmed = any(
            line["booking_id"] == booked["booking_id"] and line["status"] == "confirmed" for line in now["lines"]
        )
        return bool(confirmed and now["hotels"][2]["room_types"][row]["nights"][column][1] < free)

    assert await until(seen, SECONDS), booked


async def see_the_page(running: Demo) -> None:
    """Look at the calendar, and at a booking as it arrives."""
    async with browsing() as tab:
        await tab.show(running.url)
        await tab.until("document.querySelectorAll('#calendar tbody td b').length === 6 * 42", SECONDS)
        await tab.until("!document.querySelector('#desk button').disabled", SECONDS)
        assert await tab.evaluate("document.querySelectorAll('#hotels [role=tab]').length") == 3
        assert not await tab.evaluate("document.querySelector('#news-empty').hidden"), "nobody booked yet"
        await click_a_free_night(tab)
        await tab.evaluate("document.querySelectorAll('#hotels [role=tab]')[1].click()")
        name = await tab.evaluate("document.querySelector('#calendar caption').textContent")
        assert (await running.state())["hotels"][1]["name"] in name


async def click_a_free_night(tab: Tab) -> None:
    """Click a night: one room fewer is free, the list names the guest, the desk tells the delay."""
    await tab.evaluate("globalThis.night = document.querySelector('#calendar td.ample, #calendar td.some'), 0")
    free = int(await tab.evaluate("night.querySelector('b').textContent"))
    await tab.evaluate("night.click()")
    await tab.until("document.querySelector('#result.good, #result.bad')")
    assert "ms" in await tab.evaluate("document.querySelector('#result.good').textContent")
    await tab.until(f"night.querySelector('b').textContent === '{free - 1}'")
    await tab.until("document.querySelectorAll('#news tbody tr.mine').length >= 2")
    rows = await tab.evaluate("document.querySelector('#news tbody tr:last-child').innerText")
    assert "created" in rows
    assert "front desk" in rows


@pytest.mark.parametrize(
    ("moment", "how"),
    [
        ("starting PostgreSQL", signal.SIGINT),
        ("opening three hotels", signal.SIGTERM),
        ("roomwire setup", signal.SIGINT),
        ("reads the PMS", signal.SIGTERM),
    ],
)
async def test_an_interrupted_start_leaves_nothing(moment: str, how: signal.Signals) -> None:
    async with demo() as running:
        await running.says(moment)
        assert await running.end(how) == 0


async def test_a_demo_that_is_killed_leaves_nothing() -> None:
    async with demo() as running:
        await running.shown()
        await running.end(signal.SIGKILL)


@pytest.mark.parametrize(
    ("victim", "words"),
    [("daemon\0run", "roomwire run was ended by signal 9"), ("pginstall/bin/postgres", "PostgreSQL has ended")],
)
async def test_what_fails_is_named_and_ends_the_demo(victim: str, words: str) -> None:
    async with demo() as running:
        await running.shown()
        await asyncio.to_thread(kill, running, victim)
        assert await running.end(None) == 1
    assert words in running.said
    assert "The end of its log:" in running.said
    assert "Traceback" not in running.said


def children(pid: int) -> set[int]:
    """The processes that any thread of a process has started."""
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended meanwhile
            found |= {int(word) for word in task.read_text().split()}
    return found


def kill(running: Demo, victim: str) -> None:
    """Kill the one child whose command line holds these words; a new process shows it only after a moment."""
    deadline = time.monotonic() + SECONDS
    found: list[int] = []
    while not found and time.monotonic() < deadline:
        found = [pid for pid in children(running.process.pid) if victim in command(pid)]
    assert len(found) == 1, f"not there: {victim}"
    os.kill(found[0], signal.SIGKILL)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended meanwhile
        return ""


async def test_a_database_of_the_users_is_left_as_the_demo_says(pms: Database) -> None:
    async with demo("--dsn", pms.dsn, "--rate", "5") as running:
        await running.shown()
        await running.in_step()

        async def staff_at_work() -> bool:
            told = await running.state()
            return bool(told["lines"]) and bool(told["figures"]["delay"]["count"] > 5)

        assert await until(staff_at_work, SECONDS)
        figures = (await running.state())["figures"]
        assert (figures["refused"], figures["verified"]) == (0, figures["received"])
        assert await running.end(signal.SIGTERM) == 0
    assert left(pms) == (0, 0, None)
    assert "Left in it: the invented PMS" in running.said
    with pms.connect() as conn:
        assert conn.execute("SELECT 1 FROM pg_roles WHERE rolname = 'roomwire_writer'").fetchone() is None


async def test_a_database_in_use_is_refused_with_a_remedy(database: Database) -> None:
    with database.connect() as conn:
        conn.execute("CREATE TABLE guests (id int)")
    async with demo("--dsn", database.dsn) as running:
        assert await running.end(None) == 1
    assert "CREATE DATABASE roomwire_demo" in running.said
    assert "Traceback" not in running.said
    with database.connect() as conn:
        assert conn.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone() == (1,)
