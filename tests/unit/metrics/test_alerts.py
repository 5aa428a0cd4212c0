"""The alert rules speak of metrics that there are, and of all that the page asks to be alerted on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are not among what is installed

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "roomwire.rules.yml"
METRICS = (ROOT / "docs" / "METRICS.md").read_text()


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def named(rules: list[dict[str, Any]]) -> set[str]:
    return {name for rule in rules for name in re.findall(r"\broomwire_\w+", rule["expr"])}


def test_each_rule_is_about_metrics_that_there_are_and_says_what_to_do(rules: list[dict[str, Any]]) -> None:
    assert named(rules) <= set(re.findall(r"^\| `(\w+)` \|", METRICS, re.MULTILINE))
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "remedy", "runbook"}, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]


def test_each_rule_leads_to_a_section_that_there_is(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        headings = re.findall(r"^##+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, rule["alert"]


def test_what_the_page_asks_to_be_alerted_on_has_a_rule(rules: list[dict[str, Any]]) -> None:
    asked = set(re.findall(r"^\| `(\w+)` \|.*\*\*alert", METRICS, re.MULTILINE | re.IGNORECASE))
    assert asked <= named(rules)
    assert {"roomwire_feed_cursor_lag_seconds", "roomwire_leader"} <= asked


def test_labels_that_a_rule_speaks_of_are_kept_by_it(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        said = set(re.findall(r"\$labels\.(\w+)", "".join(rule["annotations"].values())))
        kept = re.search(r"by \(([\w, ]+)\)", rule["expr"])
        assert said <= set(re.findall(r"\w+", kept[1]) if kept else ()), rule["alert"]
