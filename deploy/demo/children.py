"""Commands that the demo runs. No Ctrl-C of the terminal reaches them: the demo ends them in its own order."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from deploy.last_will import LastWill

PATIENCE = 15
"""Seconds that a command may take to end when asked to."""
LINES = 15
"""Lines of a log that are shown."""


class ChildFailedError(RuntimeError):
    """A command ended that should not have; the message ends with the end of its log."""


class Child:
    """`python -m …` that runs for ever; an asynchronous context manager that ends it.

    It never outlives the demo, kill -9 included, and its log is in a temporary folder of its own.

    Args:
        name: What people call it.
        words: What follows `python -m`.
        settings: Environment variables to add.
    """

    def __init__(self, name: str, words: Sequence[str], settings: Mapping[str, str]) -> None:
        self._name, self._words, self._settings = name, words, settings

    async def __aenter__(self) -> Self:
        self._will = LastWill()
        self._log = self._will.folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - the will takes a Popen, and a start does not wait
                _command(self._words),
                env=_environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._will.name(self._process)
        self._ended = asyncio.create_task(asyncio.to_thread(self._process.wait))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        done, _ = await asyncio.wait({self._ended}, timeout=PATIENCE)
        if not done:
            self._process.kill()
            await self._ended
        self._will.name(None)
        self._will.execute()

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    async def failed(self) -> None:
        """Wait for its end, which should not come.

        Raises:
            ChildFailedError: It has come.
        """
        code = await asyncio.shield(self._ended)
        raise _failure(self._name, code, self._log.read_bytes())


async def finish(name: str, words: Sequence[str], settings: Mapping[str, str] | None = None) -> str:
    """Run a command to its end; returns what it printed.

    Raises:
        ChildFailedError: It failed.
    """
    process = await asyncio.create_subprocess_exec(
        *_command(words),
        env=_environment(settings or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise _failure(name, process.returncode, said)
    return said.decode(errors="replace")


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", *words]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without its own Roomwire's settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ROOMWIRE_")} | dict(settings)


def _failure(name: str, code: int, said: bytes) -> ChildFailedError:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    log = said.decode(errors="replace").splitlines()[-LINES:] or ["(it wrote nothing)"]
    return ChildFailedError("\n".join([f"{name} {how}. The end of its log:", *(f"    {line}" for line in log)]))
