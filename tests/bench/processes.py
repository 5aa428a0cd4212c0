"""What processes of this machine have used, read from /proc: CPU seconds and peak memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.05
MEGABYTE = 1024 * 1024


def cpu_seconds(pid: int) -> float:
    """User and system time of a process since it began; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int, entry: str = "VmHWM") -> int:
    """Resident memory of a process in bytes: its highest ever (VmHWM) or now (VmRSS); 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = [line.split()[1] for line in lines if line.startswith(f"{entry}:")]
    return int(found[0]) * 1024 if found else 0


def forget_peak(pid: int) -> None:
    """Let the highest memory of a process begin anew at what it holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@dataclass
class Usage:
    """CPU seconds used between the first and the last look, by the names that processes were given."""

    seconds: dict[str, float] = field(default_factory=dict)
    _first: dict[int, float] = field(default_factory=dict)
    _last: dict[int, tuple[str, float]] = field(default_factory=dict)

    def look(self, pids: Mapping[int, str]) -> None:
        """Read what these processes have used by now; one that turns up later counts from its birth."""
        begun = bool(self._last)
        for pid, name in pids.items():
            now = cpu_seconds(pid)
            self._first.setdefault(pid, 0.0 if begun else now)
            if now:
                self._last[pid] = (name, now)
        self.seconds = {}
        for pid, (name, now) in self._last.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._first[pid]

    @property
    def total(self) -> float:
        """Of all processes."""
        return sum(self.seconds.values())


@asynccontextmanager
async def watching(pids: Callable[[], Mapping[int, str]]) -> AsyncIterator[Usage]:
    """Look at processes, which may come and go, until the block ends."""
    usage = Usage()
    usage.look(pids())

    async def look() -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            usage.look(pids())

    task = asyncio.create_task(look())
    try:
        yield usage
    finally:
        task.cancel()
        usage.look(pids())


def backends(conn: psycopg.Connection[tuple[object, ...]], role: str) -> dict[int, str]:
    """The server processes that work for a role, by what they do."""
    rows = conn.execute(
        "select pid, case backend_type when 'walsender' then 'walsender' else 'backend' end"
        " from pg_stat_activity where usename = %s",
        (role,),
    )
    return {int(str(pid)): str(name) for pid, name in rows}
