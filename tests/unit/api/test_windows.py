"""Requests counted in this process."""

import pytest

from api.access import windows
from api.access.windows import Windows


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("api.access.windows.time.monotonic", lambda: now[0])
    return now


def hits(counted: Windows, number: int, who: str = "a") -> list[bool]:
    return [counted.hit(who, 4).allowed for _ in range(number)]


def test_so_many_are_allowed_in_a_minute(clock: list[float]) -> None:
    counted = Windows()
    assert counted.hit("a", 4) == (True, 3, 60)
    clock[0] += 30
    assert counted.hit("a", 4) == (True, 2, 30)
    assert hits(counted, 4) == [True, True, False, False]
    assert counted.hit("a", 4) == (False, 0, 30)
    assert counted.hit("b", 4).allowed


def test_a_minute_s_hits_count_less_and_less_in_the_next(clock: list[float]) -> None:
    counted = Windows()
    assert hits(counted, 4) == [True] * 4
    clock[0] += 60
    assert hits(counted, 1) == [False]
    clock[0] += 30
    assert hits(counted, 3) == [True, True, False]
    clock[0] += 29.9
    assert hits(counted, 3) == [True, False, False]


def test_after_two_minutes_nothing_counts(clock: list[float]) -> None:
    counted = Windows()
    assert hits(counted, 5) == [True] * 4 + [False]
    clock[0] += 120
    assert hits(counted, 5) == [True] * 4 + [False]


def test_who_was_not_heard_of_for_longest_is_forgotten(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_MOST", 2)
    counted = Windows()
    for who in ("a", "b", "a", "c"):
        counted.hit(who, 4)
    assert counted.hit("a", 4).remaining == 1
    assert counted.hit("b", 4).remaining == 3
