"""The dashboard shows metrics that there are, and all that alerts are about."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
RULES = (ROOT / "deploy" / "prometheus" / "roomwire.rules.yml").read_text()
METRICS = (ROOT / "docs" / "METRICS.md").read_text()
METRIC = re.compile(r"\b(?:roomwire|process)_\w+")
OF_ROOMWIRE = " and on (instance, job) roomwire_build_info"
"""What everybody's processes tell of, Prometheus' own too, is shown of Roomwire's."""
PARTS_OF_HISTOGRAMS = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def panels() -> list[dict[str, Any]]:
    """Every panel but the rows that part them."""
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "roomwire.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def shown(panel: dict[str, Any]) -> set[str]:
    """The metrics that a panel is about."""
    return {
        name for target in panel["targets"] for name in METRIC.findall(target["expr"].removesuffix(OF_ROOMWIRE))
    }


def labels(metric: str) -> set[str]:
    """The labels that the page says a metric has, and those that Prometheus adds."""
    row = re.search(rf"^\| `{metric}` \| \w+ \|([^|]*)\|", METRICS, re.MULTILINE)
    assert row is not None, metric
    return set(re.findall(r"`(\w+)`", row[1])) | {"instance", "le"}


def test_each_panel_shows_metrics_and_labels_that_there_are(panels: list[dict[str, Any]]) -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", METRICS, re.MULTILINE))
    for panel in panels:
        (target,) = panel["targets"]
        (name,) = shown(panel)
        base = PARTS_OF_HISTOGRAMS.sub("", name)
        assert documented[base] == "histogram" if base != name else name in documented, panel["title"]
        kept = re.search(r"by \(([\w, ]+)\)", target["expr"])
        named = set(re.findall(r"\w+", kept[1])) if kept else set()
        assert named <= labels(base), panel["title"]
        said = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert said <= (named or {"instance"}), panel["title"]
        assert panel["description"], panel["title"]
        assert name.startswith("process_") == target["expr"].endswith(OF_ROOMWIRE), panel["title"]


def test_panels_lie_beside_each_other(panels: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert max(x for x, _ in cells) < 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


def test_whoever_an_alert_wakes_sees_what_it_is_about(panels: list[dict[str, Any]]) -> None:
    alerted = {name for expression in re.findall(r"expr: (.+)", RULES) for name in METRIC.findall(expression)}
    assert alerted <= {name for panel in panels for name in shown(panel)}
