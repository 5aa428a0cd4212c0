"""Findings as text for a terminal, and as JSON."""

import textwrap
from collections.abc import Sequence

import orjson
import typer

from daemon.check.catalogue import Finding
from daemon.check.verdict import Level

_COLORS = {Level.ok: "green", Level.warning: "yellow", Level.wrong: "red"}
_INDENT = 24


def worst(findings: Sequence[Finding]) -> Level:
    """The worst level of all; ok where nothing was looked at."""
    return max((finding.level for finding in findings), default=Level.ok)


def as_json(findings: Sequence[Finding]) -> str:
    """`{"level", "checks": [{"check", "level", "says", "remedy"}]}`; an empty remedy where nothing need be done."""
    checks = [finding._asdict() | {"level": finding.level.name} for finding in findings]
    return orjson.dumps({"level": worst(findings).name, "checks": checks}, option=orjson.OPT_INDENT_2).decode()


def as_text(findings: Sequence[Finding], *, width: int = 110) -> str:
    """A line for each finding, its remedy below it. `typer.echo` takes the colours off outside a terminal."""
    return "\n".join(_lines(finding, width) for finding in findings)


def _lines(finding: Finding, width: int) -> str:
    level = typer.style(f"{finding.level.name:8}", fg=_COLORS[finding.level])
    said = _wrapped(finding.says, "", width)
    remedy = f"\n{' ' * _INDENT}{_wrapped(finding.remedy, '→ ', width)}" if finding.remedy else ""
    return f"{level}  {finding.check:14}{said}{remedy}"


def _wrapped(text: str, lead: str, width: int) -> str:
    lines = textwrap.wrap(
        text,
        width - _INDENT,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"\n{' ' * _INDENT}".join(lines)
