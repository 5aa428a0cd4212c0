"""How many messages at a time, and of what size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.delivery.pace import Pace, risen


def answering(seconds: float, *, concurrency: int = 8, rate: float | None = None) -> Pace:
    pace = Pace(concurrency, rate)
    for _ in range(100):
        pace.took(seconds)
    return pace


def test_workers_share_what_an_endpoint_may_get() -> None:
    mine = 8
    pace = Pace(8, 60.0, share=lambda: mine)
    found = []
    for mine in (8, 4, 1, 0):  # noqa: B007  # the pace looks
        found.append((pace.lanes(0), pace.rate(0), pace.room(0)))
    assert found == [(8, 60, 30), (4, 30, 15), (1, 7.5, 3), (0, 0, 0)], (
        "who has none sends nothing, and keeps nothing"
    )
    assert Pace(8, share=lambda: mine).room(0) == 0


def test_what_an_endpoint_could_not_take_comes_back_by_itself() -> None:
    assert risen(0.25, 0) == risen(0.25, -5) == 0.25
    assert risen(0.25, 15) == 0.75
    assert risen(0.25, 60) == 1
    pace = Pace(8, 80.0)
    pace.adjust(pace=0.5, paced_at=100)
    assert [(pace.lanes(now), pace.rate(now)) for now in (100, 107.5, 115, 200)] == [
        (4, 40),
        (6, 60),
        (8, 80),
        (8, 80),
    ]


def test_who_answers_slowly_gets_fewer_and_fuller_messages() -> None:
    quick, slow, slower = answering(0.005), answering(2.0), answering(14.0)
    assert [pace.lanes(0) for pace in (quick, slow, slower)] == [8, 4, 2]
    assert [pace.slow for pace in (quick, slow, slower)] == [False, True, True]
    assert slow.size(0) == 100
    assert slow.room(0) == 4, "nothing waits: what is said is read when it is sent"


def test_a_slow_answer_or_two_change_little_and_it_recovers() -> None:
    pace = answering(0.01)
    pace.took(5.0)
    assert not pace.slow
    for _ in range(10):
        pace.took(5.0)
    assert pace.slow
    for _ in range(20):
        pace.took(0.01)
    assert (pace.slow, pace.lanes(0)) == (False, 8)


def test_no_more_is_claimed_than_goes_out_in_half_a_second() -> None:
    assert Pace(8).size(0) == 16, "nothing is known yet"
    assert answering(0.005).size(0) == 100
    assert answering(0.1).size(0) == 40
    assert answering(0.8).size(0) == 8
    limited = answering(0.005, rate=20.0)
    assert (limited.size(0), limited.room(0)) == (40, 10)
    limited = answering(0.005, rate=0.1)
    assert (limited.size(0), limited.room(0)) == (16, 1)


@given(
    st.integers(1, 100),
    st.none() | st.floats(0.01, 1_000),
    st.integers(1, 100),
    st.floats(1 / 16, 1),
    st.lists(st.floats(0, 15), max_size=20),
)
def test_something_always_goes_on(
    concurrency: int, rate: float | None, share: int, pace: float, latencies: list[float]
) -> None:
    share = min(share, concurrency)
    found = Pace(concurrency, rate, share=lambda: share)
    found.adjust(pace=pace, paced_at=0)
    for seconds in latencies:
        found.took(seconds)
    assert 1 <= found.lanes(0) <= share
    assert 1 <= found.size(0) <= 100
    assert found.room(0) >= 1
    allowed = found.rate(0)
    assert (allowed is None) == (rate is None)
    if rate is not None and allowed is not None:
        assert 0 < allowed <= rate or allowed == pytest.approx(rate)
