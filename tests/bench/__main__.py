"""`python -m tests.bench`: measure Roomwire, print a table, and on request write docs/BENCHMARKS.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tests.bench import api, catchup, delivery, down, harm, idle, latency, memory
from tests.bench.figures import Figure, table
from tests.bench.machine import describe
from tests.bench.page import write
from tests.bench.stage import KITS, Kit, Scale, Stage, raised

Measure = Callable[[Stage], AsyncIterator[Figure]]
EVERYWHERE = tuple(KITS)
BOTH = ("pg15-wal2json", "pg18-pgoutput")
BENCHES: dict[str, tuple[Measure, tuple[str, ...]]] = {
    "catchup": (catchup.measure, BOTH),
    "latency": (latency.measure, BOTH),
    "memory": (memory.measure, BOTH),
    "harm": (harm.measure, ("pg15-wal2json",)),
    "delivery": (delivery.measure, ("pg15-wal2json",)),
    "down": (down.measure, ("pg18-pgoutput",)),
    "api": (api.measure, ("pg15-wal2json",)),
    "idle": (idle.measure, ("pg15-wal2json",)),
}
"""Every benchmark, and where it runs unless told (`--on`): the last five hardly depend on the plugin."""


def main() -> int:
    """Run what was asked for; returns the exit code: 1 if a benchmark broke, whatever its figures are."""
    asked = _arguments()
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:7.1f} s  {text}\n")

    figures, broken = asyncio.run(_run(asked, say))
    sys.stdout.write(table(figures) + "\n")
    machine = describe([kit for name, kit in KITS.items() if any(figure.stage == name for figure in figures)])
    if asked.json:
        asked.json.write_text(json.dumps({"machine": machine, "figures": [asdict(f) for f in figures]}, indent=1))
    if asked.write:
        write(machine, figures, command=f"python -m tests.bench {' '.join(sys.argv[1:])}")
    for name in broken:
        say(f"broken: {name}")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which benchmarks, of {', '.join(BENCHES)}; all unless given")
    parser.add_argument("--quick", action="store_true", help="find faults in two minutes; the figures mean little")
    parser.add_argument("--on", action="append", choices=EVERYWHERE, help="only there; repeatable")
    parser.add_argument("--folder", type=Path, help="folder on disk for the servers; the system's temporary one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--write", action="store_true", help="write docs/BENCHMARKS.md and its pictures")
    asked = parser.parse_args()
    if unknown := set(asked.name) - set(BENCHES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    return asked


async def _run(asked: argparse.Namespace, say: Callable[[str], None]) -> tuple[list[Figure], list[str]]:
    figures: list[Figure] = []
    broken = []
    for kit, name in _wanted(asked):
        # Each has a server of its own: what one leaves to be tidied up takes cores from none that comes after it.
        with raised(kit, asked.folder, Scale(asked.quick), partial(_say_of, say, kit)) as stage:
            stage.say(f"{name} begins")
            try:
                async for figure in BENCHES[name][0](stage):
                    figures.append(figure)
            except Exception as error:  # noqa: BLE001  # the others are still worth having
                stage.say(f"{name} broke: {error!r}")
                broken.append(f"{name} on {kit.name}")
    order = list(BENCHES)
    return sorted(figures, key=lambda figure: order.index(figure.bench)), broken


def _say_of(say: Callable[[str], None], kit: Kit, text: str) -> None:
    say(f"{kit.name}  {text}")


def _wanted(asked: argparse.Namespace) -> list[tuple[Kit, str]]:
    """What is measured where, in order."""
    kits = [kit for name, kit in KITS.items() if name in (asked.on or EVERYWHERE)]
    return [
        (kit, name)
        for kit in kits
        for name in asked.name or BENCHES
        if kit.name in (asked.on or _places(asked, name))
    ]


def _places(asked: argparse.Namespace, name: str) -> tuple[str, ...]:
    """Where a benchmark runs; in a hurry, each in one place, in turns."""
    places = BENCHES[name][1]
    return (places[list(BENCHES).index(name) % len(places)],) if asked.quick else places


if __name__ == "__main__":
    sys.exit(main())
