"""Commands that run beside the demo and never outlive it."""

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


class ChildFailedError(RuntimeError):
    """A command ended that should not have; the message ends with the end of its log."""


class Child:
    """`python -m …` as a process of its own; an asynchronous context manager that ends it.

    It gets none of the caller's ROOMWIRE_ settings, and no Ctrl-C of the terminal: the demo ends it in its turn.

    Args:
        name: What people call it.
        words: What follows `python -m`.
        settings: Environment variables to add.
    """

    def __init__(self, name: str, words: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        self._name, self._words = name, words
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ROOMWIRE_")}
        self._environment = inherited | dict(settings or {})

    async def __aenter__(self) -> Self:
        self._will = LastWill()
        self._log = self._will.folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - the will takes a Popen, and a start does not wait
                [sys.executable, "-m", *self._words],
                env=self._environment,
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

    async def succeeded(self) -> str:
        """Wait for its end; returns what it printed.

        Raises:
            ChildFailedError: It ended with another exit code than 0.
        """
        if await asyncio.shield(self._ended):
            raise self._failure()
        return self._log.read_text(errors="replace")

    async def failed(self) -> None:
        """Wait for the end of a command that is to run for ever.

        Raises:
            ChildFailedError: It has ended.
        """
        await asyncio.shield(self._ended)
        raise self._failure()

    def _failure(self) -> ChildFailedError:
        code = self._process.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        log = self._log.read_text(errors="replace").splitlines()[-15:] or ["(it wrote nothing)"]
        return ChildFailedError(
            "\n".join([f"{self._name} {how}. The end of its log:", *(f"    {li}" for li in log)])
        )


async def finish(name: str, words: Sequence[str], settings: Mapping[str, str] | None = None) -> str:
    """Run a command to its end; returns what it printed.

    Raises:
        ChildFailedError: It failed.
    """
    async with Child(name, words, settings) as child:
        return await child.succeeded()
