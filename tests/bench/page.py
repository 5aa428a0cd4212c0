"""docs/BENCHMARKS.md and its pictures, from figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

from tests.bench import api, catchup, delivery, down, harm, idle, latency, memory
from tests.bench.figures import Figure, number
from tests.bench.limits import LIMITS
from tests.bench.machine import ROOT
from tests.bench.pictures import Bar, bars

_PAGE = ROOT / "docs" / "BENCHMARKS.md"
_PICTURES = ROOT / "docs" / "pictures"
_MODULES = {
    "catchup": catchup,
    "latency": latency,
    "memory": memory,
    "harm": harm,
    "delivery": delivery,
    "down": down,
    "api": api,
    "idle": idle,
}
_HEAD = """# Benchmarks

What Roomwire does on one small machine, beside the budgets it was built to. Run it yourself with `make bench`; this
page is written by `python -m tests.bench --write`, and says where a budget is not met and why.

Everything runs on the same machine, and so shares its cores: the PostgreSQL server (durable, in a folder on disk),
Roomwire as its users run it, and the load generators and receivers, each a process of its own. The load is a mix of
holds, bookings, prices, states, moves, guests and cancellations, as `tests/bench/workload.sql` performs it: a
transaction changes about five rows of followed tables, and the PMS's triggers copy each into a log that Roomwire
leaves alone.
"""


def write(machine: Mapping[str, str], figures: Sequence[Figure], *, command: str) -> None:
    """Write the page for these figures and, for the benchmarks among them, the pictures."""
    parts = [_HEAD, f"Measured by `{command.strip()}`:\n\n" + "".join(f"- {k}: {v}\n" for k, v in machine.items())]
    for bench, module in _MODULES.items():
        mine = [figure for figure in figures if figure.bench == bench]
        if mine:
            parts.append(_section(bench, str(module.__doc__), mine))
    _PAGE.write_text("\n".join(parts), encoding="utf-8")


def _section(bench: str, about: str, figures: Sequence[Figure]) -> str:
    lines = [f"## {bench}\n", f"{about.strip()}\n"]
    picture = _picture(bench, figures)
    if picture:
        (_PICTURES / f"bench-{bench}.svg").write_text(picture, encoding="utf-8")
        lines.append(f"![{bench}](pictures/bench-{bench}.svg)\n")
    lines.append(_table(figures))
    if any(figure.verdict == "not met" for figure in figures):
        lines.append("\n" + fill(f"**What limits it.** {LIMITS[bench]}", 118) + "\n")
    return "\n".join(lines)


def _table(figures: Sequence[Figure]) -> str:
    """One row per figure, one column per stage."""
    stages = list(dict.fromkeys(figure.stage for figure in figures))
    names = list(dict.fromkeys(figure.name for figure in figures))
    found = {(figure.name, figure.stage): figure for figure in figures}
    lines = [f"| | unit | target | {' | '.join(stages)} |", "|---|---|---|" + "---:|" * len(stages)]
    for name in names:
        row = [found[name, stage] for stage in stages if (name, stage) in found]
        target = next((str(figure.target) for figure in row if figure.target), "")
        cells = [_cell(found.get((name, stage))) for stage in stages]
        lines.append(f"| {name} | {row[0].unit} | {target} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    mark = {"met": " ✓", "not met": " ✗"}.get(figure.verdict, "")
    return f"{number(figure.value)}{mark}"


def _picture(bench: str, figures: Iterable[Figure]) -> str | None:
    """Bars of what a reader looks for first."""
    title, unit, wanted = _SHOWN[bench]
    rows = [
        Bar(
            f"{_short(figure.name)}, {figure.stage}",
            figure.value,
            figure.target.bound if figure.target else None,
            _ours(figure),
        )
        for name in wanted
        for figure in figures
        if figure.name.endswith(name)
    ]
    return bars(title, unit, rows) if rows else None


def _short(name: str) -> str:
    for words in ("commit → received ", " to /dev/null", " to a no-op sink", "rate ", " ÷ alone"):
        name = name.replace(words, "")
    return name


def _ours(figure: Figure) -> bool:
    return not any(other in figure.name for other in ("pg_recvlogical", "Debezium"))


_SHOWN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "catchup": ("Catching up", "changes per second", ("changes", "pg_recvlogical to /dev/null", "no-op sink")),
    "latency": (
        "Commit in the PMS → webhook received",
        "milliseconds",
        ("commit → received p50", "commit → received p99"),
    ),
    "memory": ("Peak memory of capture", "MB", ("first sync", "updated twice", "nights updated")),
    "harm": ("The PMS's rate at full load", "share of its rate alone", ("÷ alone",)),
    "delivery": ("Single-booking messages of a first sync", "per second", ("bookings",)),
    "down": (
        "A healthy endpoint's delay beside two that are down",
        "milliseconds",
        ("before: commit → received p99", "with two down: commit → received p99"),
    ),
    "api": (
        "Answers of the API",
        "milliseconds",
        ("calendar of 30 nights: p99", "stay of 2 nights: p99", "booking of 2 nights: p99"),
    ),
    "idle": ("Idle", "% of a core", ("CPU",)),
}
"""Per benchmark: the picture's title, its unit, and the ends of the names of the figures it shows."""
