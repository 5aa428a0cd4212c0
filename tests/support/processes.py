"""Processes of their own without the start of an interpreter: forks of one that has imported everything before.

Importing takes a command three quarters of a second of a processor, more than most then need for what they are
asked, and acceptance tests start a thousand. From there on nothing differs: a fork has its own environment,
streams, signals and exit code. Commands that begin with nothing are started by the tests of the demo, of bad
input and of the README.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from daemon.cli import main

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.preloaded"])


class Forked:
    """A process that calls `target`, found by its module and name, with `values`; it never outlives this one."""

    def __init__(self, target: Callable[..., object], *values: object) -> None:
        self._process = _forks.Process(target=target, args=values, daemon=True)
        self._process.start()
        self._over: asyncio.Event | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, or the signal that ended it with a minus; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end; returns its exit code."""
        if self._over is None:
            self._over = asyncio.Event()
            asyncio.get_running_loop().add_reader(self._process.sentinel, self._ended)
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode

    def _ended(self) -> None:
        assert self._over is not None
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._over.set()


def forked_command(words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> Forked:
    """`roomwire …` with all of its environment; what it says is appended to two files, or one."""
    for file in (out, err):
        file.touch()
    return Forked(_command, list(words), dict(environment), out, err)


def pipe() -> tuple[Connection, Connection]:
    """Both ends of a pipe, of which one may be given to a process; what it reads ends when the other is closed."""
    return _forks.Pipe()


def _command(words: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv[1:] = words
    main()
