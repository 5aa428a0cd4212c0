"""What is shown of findings, and the page about them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from daemon.check import reference
from daemon.check.catalogue import ESSENTIAL, FURTHER, Check, Finding
from daemon.check.report import as_json, as_text, worst
from daemon.check.verdict import Level, size, span

PAGE = Path(__file__).parents[3] / "docs" / "CHECKS.md"
WELL = Finding("version", Level.ok, "PostgreSQL 15.18", "")
MEAGRE = Finding("slot", Level.warning, "There is no slot roomwire", "Nothing to do. " * 12)
WRONG = Finding("wal_level", Level.wrong, "wal_level is replica", "Set it.")


def test_the_worst_decides() -> None:
    assert worst([]) is Level.ok
    assert worst([WELL, WRONG, MEAGRE]) is Level.wrong
    assert worst([MEAGRE, WELL]) is Level.warning


def test_json_has_every_finding() -> None:
    assert json.loads(as_json([WELL, WRONG])) == {
        "level": "wrong",
        "checks": [
            {"check": "version", "level": "ok", "says": "PostgreSQL 15.18", "remedy": ""},
            {"check": "wal_level", "level": "wrong", "says": "wal_level is replica", "remedy": "Set it."},
        ],
    }


def test_text_keeps_to_its_width_and_puts_the_remedy_below() -> None:
    lines = re.sub(r"\x1b\[[0-9]*m", "", as_text([WELL, MEAGRE], width=80)).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ok", "version", "PostgreSQL", "15.18"]
    assert lines[2].lstrip().startswith("→ Nothing to do.")
    assert all(line.startswith(" " * 24) for line in lines[2:])


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 kB"),
        (20 << 20, "20 MB"),
        (3 << 40, "3.0 TB"),
        (9e15, "8185 TB"),
    ],
)
def test_sizes_are_for_people(amount: float, said: str) -> None:
    assert size(amount) == said


@pytest.mark.parametrize(("seconds", "said"), [(40, "40 s"), (300, "5 min"), (9000, "2 h"), (864_000, "10 days")])
def test_times_are_for_people(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_the_page_is_what_the_checks_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.render(), "run `python -m daemon.check.reference`"


@pytest.mark.parametrize("check", [*ESSENTIAL, *FURTHER])
def test_every_check_stands_on_it_with_its_remedies(check: Check[Any]) -> None:
    section = PAGE.read_text(encoding="utf-8").partition(f"\n### {check.name}\n")[2].partition("\n### ")[0]
    assert all(f"- wrong: {remedy}\n" in section for remedy in check.faults)
    assert all(f"- warning: {remedy}\n" in section for remedy in check.warns)
