"""Every check, on facts that it finds well, warns of, or calls wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from daemon.check.catalogue import ESSENTIAL, FURTHER, Check, judge, judge_essentials
from daemon.check.facts import Facts
from daemon.check.verdict import Level
from tests.unit.check.cases import CASES, FINE
from tests.unit.check.facts import (
    HEALTHY,
)


def as_pattern(template: str) -> str:
    return re.sub(r"\\{\w+\\}", ".+", re.escape(template))


@pytest.mark.parametrize(("check", "given", "level", "words", "remedy"), CASES)
def test_what_is_amiss_is_said_with_its_remedy(
    check: str, given: Facts, level: Level, words: str, remedy: str
) -> None:
    (found,) = [finding for finding in judge(given) if finding.check == check]
    assert found.level is level
    assert words in found.says
    assert re.fullmatch(as_pattern(remedy), found.remedy)
    assert not found.says.endswith(".")
    assert "{" not in found.remedy


@pytest.mark.parametrize(("check", "given"), FINE)
def test_what_is_well_needs_no_remedy(check: str, given: Facts) -> None:
    (found,) = [finding for finding in judge(given) if finding.check == check]
    assert (found.level, found.remedy) == (Level.ok, "")


def test_a_healthy_server_is_all_well() -> None:
    found = judge(HEALTHY)
    essential, further = [check.name for check in ESSENTIAL], [check.name for check in FURTHER]
    assert [finding.check for finding in found] == essential + further
    assert {finding.level for finding in found} == {Level.ok}


@pytest.mark.parametrize(("check", "given", "level", "words", "remedy"), CASES)
def test_nothing_else_is_called_wrong(check: str, given: Facts, level: Level, words: str, remedy: str) -> None:
    wrong = [finding.check for finding in judge(given) if finding.level is Level.wrong]
    assert wrong == ([check] if level is Level.wrong else [])


def test_the_essentials_are_judged_alone() -> None:
    found = judge_essentials(HEALTHY.essentials)
    assert [finding.check for finding in found] == [check.name for check in ESSENTIAL]


@pytest.mark.parametrize("check", [*ESSENTIAL, *FURTHER])
def test_the_catalogue_knows_every_remedy(check: Check[Any]) -> None:
    given = {(level, remedy) for name, _, level, _, remedy in CASES if name == check.name}
    known = {(Level.wrong, text) for text in check.faults} | {(Level.warning, text) for text in check.warns}
    assert given == known
