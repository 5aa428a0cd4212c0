"""Commands beside the demo: their failures are told with their last words, and they do not outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from deploy.demo.children import Child, ChildFailedError, finish
from tests.integration.test_embedded import await_end, children, needs_pidfd

OWNER = """
import asyncio
from deploy.demo.children import Child
async def main():
    async with Child("a server", ["http.server", "0"], {}):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_what_a_command_printed_is_returned() -> None:
    assert "January" in await finish("the calendar", ["calendar", "2030"])


async def test_a_command_that_fails_is_told_with_the_end_of_its_log() -> None:
    with pytest.raises(
        ChildFailedError, match=r"(?s)the calendar ended with exit code 1\..*IndexError: list index"
    ):
        await finish("the calendar", ["calendar", "2030", "13"])


async def test_a_command_that_ends_though_it_should_go_on_is_told() -> None:
    async with Child("the calendar", ["calendar", "2030"], {}) as child:
        with pytest.raises(ChildFailedError, match="the calendar ended with exit code 0"):
            await child.failed()


async def test_the_callers_settings_do_not_reach_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMWIRE_DSN", "postgresql://elsewhere.test/")
    with pytest.raises(ChildFailedError, match="ROOMWIRE_DSN"):
        await finish("roomwire status", ["daemon", "status"])


@needs_pidfd
def test_a_command_dies_with_its_owner() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        left = children(owner.pid)
        assert len(left) == 2, "the command, and the shell that ends it"
        os.kill(owner.pid, signal.SIGKILL)
    await_end(left)
