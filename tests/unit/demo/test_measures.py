"""Percentiles, and figures before there are any."""

from __future__ import annotations

import pytest

from deploy.demo.engine.measures import Measures, percentile


@pytest.mark.parametrize(("percent", "expected"), [(1, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)])
def test_a_percentile_is_the_nearest_rank(percent: int, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], percent) == expected


def test_a_percentile_of_one_or_none() -> None:
    assert percentile([], 50) is None
    assert percentile([7.0], 1) == percentile([7.0], 99) == 7.0


def test_nothing_measured_is_shown_as_nothing() -> None:
    assert Measures().shown()["delay"] == {"count": 0, "last": None, "p50": None, "p99": None, "recent": []}
