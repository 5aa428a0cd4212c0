"""Figures: what was measured, what it should be, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Sense = Literal["at least", "at most"]


@dataclass(frozen=True, slots=True)
class Target:
    """A budget. `bound` is in the figure's unit."""

    sense: Sense
    bound: float

    def met(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value >= self.bound if self.sense == "at least" else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.sense == 'at least' else '≤'} {number(self.bound)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number.

    Attributes:
        bench: which benchmark measured it.
        stage: on which server and plugin.
        name: what it is, unique within the benchmark and stage.
        value: in `unit`.
        target: its budget, if it has one.
    """

    bench: str
    stage: str
    name: str
    value: float
    unit: str
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """Met, not met, or nothing where there is no budget."""
        if self.target is None:
            return ""
        return "met" if self.target.met(self.value) else "not met"


def at_least(bound: float) -> Target:
    """A budget from below."""
    return Target("at least", bound)


def at_most(bound: float) -> Target:
    """A budget from above."""
    return Target("at most", bound)


def number(value: float) -> str:
    """A number as a person reads it: three digits that matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that this share (0 to 1) of them does not exceed.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("no values to take a percentile of: nothing was measured")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rows(figures: Iterable[Figure]) -> Iterator[tuple[str, ...]]:
    """The cells of a table of figures, its head first."""
    yield "benchmark", "on", "figure", "measured", "unit", "target", ""
    for f in figures:
        yield f.bench, f.stage, f.name, number(f.value), f.unit, str(f.target or ""), f.verdict


def table(figures: Iterable[Figure]) -> str:
    """A table for a terminal."""
    cells = list(rows(figures))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)
