"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.embedded import wheel_binaries
from tests.bench.stage import Kit
from tests.support.servers import PG15
from tests.support.servers.local import DEBIAN

ROOT = Path(__file__).parents[2]


def describe(kits: Sequence[Kit]) -> dict[str, str]:
    """Processor, memory, kernel, servers, commit and day, as a person reads them."""
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "servers": "; ".join(f"{_server(kit)} with {kit.plugin}" for kit in kits),
        "commit": _said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _server(kit: Kit) -> str:
    programs = DEBIAN / "bin" if kit.kind is PG15 else wheel_binaries()
    return (
        _said(str(programs / "postgres"), "--version")
        .removeprefix("postgres (PostgreSQL) ")
        .join(("PostgreSQL ", ""))
    )


def _said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
