"""When an endpoint is sent to, and how that changes."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.delivery.breaker import PATIENCE, Seen, judge, urgent
from outbox.delivery.outcome import Outcome, Verdict
from sql.health import Health

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
DEGRADED = Health("degraded", "HTTP 503", 3, failed_at=NOW - timedelta(seconds=1), last_error="HTTP 503")
PAUSED = Health("paused", "ten in a row", PATIENCE, NOW + timedelta(seconds=1), NOW, last_error="HTTP 503")
FAILED = Outcome("outage", 503, "HTTP 503")
BUSY = Outcome("throttled", 429, "HTTP 429")
TAKEN = Outcome("delivered", 204)
REFUSED = Outcome("rejected", 422, "HTTP 422")


def seen(*outcomes: Outcome, probing: bool = False) -> Seen:
    found = Seen()
    for outcome in outcomes:
        found.note(outcome, probing=probing)
    return found


def after(
    health: Health, *outcomes: Outcome, probing: bool = False, later: float = 0, chance: float = 0.5
) -> Health:
    return judge(health, seen(*outcomes, probing=probing), NOW + timedelta(seconds=later), chance)


def test_one_failure_degrades_and_stops_nothing() -> None:
    degraded = after(Health(), FAILED)
    assert (degraded.status, degraded.reason, degraded.failures) == ("degraded", "HTTP 503", 1)
    assert degraded.retry_at is None
    assert degraded.pace == 1.0, "an outage says nothing of the pace"


def test_ten_in_a_row_pause_until_a_probe() -> None:
    assert after(Health(), *[FAILED] * 9).status == "degraded"
    paused = after(Health(), *[FAILED] * 10)
    assert (paused.status, paused.failures) == ("paused", 10)
    assert paused.reason == "10 failures in a row, the last: HTTP 503"
    assert paused.retry_at == NOW + timedelta(seconds=1)
    assert after(Health(), *[FAILED] * 90) == paused, "many at the same time say no more than ten"
    assert after(replace(DEGRADED, failures=7), FAILED, FAILED, FAILED).status == "paused"
    assert after(replace(DEGRADED, failures=9), TAKEN, FAILED).status == "degraded", "an answer begins anew"


@pytest.mark.parametrize("answer", [TAKEN, REFUSED])
def test_a_probe_that_is_answered_lets_everything_through_again_at_a_cautious_pace(answer: Outcome) -> None:
    back = after(PAUSED, answer, probing=True)
    assert (back.status, back.failures, back.retry_at) == ("degraded", 0, None)
    assert back.pace == 0.25


def test_a_probe_that_fails_makes_the_next_pause_longer_and_what_was_on_its_way_does_not() -> None:
    again = after(PAUSED, FAILED, probing=True)
    assert (again.status, again.failures, again.retry_at) == ("paused", 11, NOW + timedelta(seconds=2))
    assert after(PAUSED, FAILED, FAILED, FAILED) == PAUSED


def test_it_is_healthy_when_it_has_answered_for_ten_seconds_without_a_failure() -> None:
    answered = after(DEGRADED, TAKEN)
    assert (answered.status, answered.failures) == ("degraded", 0)
    assert after(answered, later=8).status == "degraded"
    assert after(answered, later=9) == Health(failed_at=DEGRADED.failed_at)
    assert after(DEGRADED, later=60).status == "degraded", "the last it did was to fail"


def test_410_disables_at_once_and_stays() -> None:
    gone = after(Health(), TAKEN, Outcome("gone", 410, "HTTP 410"))
    assert (gone.status, gone.reason, gone.retry_at) == ("disabled", "it answered 410 Gone", None)
    assert after(gone, TAKEN) == gone


def test_what_its_operator_paused_is_let_go_by_nobody_else() -> None:
    held = Health("paused", "at night")
    assert after(held, TAKEN) == after(held, FAILED, probing=True) == held
    assert after(held, Outcome("gone", 410)) == held


def test_it_is_left_alone_for_as_long_as_it_asks() -> None:
    asked = after(Health(), Outcome("throttled", 429, "HTTP 429", 500), chance=0)
    assert (asked.status, asked.retry_at) == ("degraded", NOW + timedelta(seconds=500))
    assert after(asked, TAKEN, later=499).retry_at == asked.retry_at, "what was on its way changes nothing"
    assert after(asked, TAKEN, later=500).retry_at is None
    probe = after(PAUSED, Outcome("outage", 503, "HTTP 503", 300), probing=True, chance=0)
    assert probe.retry_at == NOW + timedelta(seconds=300), "longer than its own pause"


def test_too_much_halves_the_pace_once_a_second_and_it_rises_by_itself() -> None:
    half = after(Health(), BUSY)
    assert (half.status, half.pace, half.paced_at) == ("degraded", 0.5, NOW)
    assert after(half, BUSY, later=0.5).pace == 0.5
    assert after(half, BUSY, later=3).pace == pytest.approx((0.5 + 0.1) / 2)
    slowest = half
    for second in range(1, 20):
        slowest = replace(after(slowest, TAKEN, BUSY, later=second), failures=0)
    assert 1 / 16 <= slowest.pace < 0.1


def test_only_what_others_must_know_is_urgent() -> None:
    assert urgent(Health(), seen(FAILED))
    assert urgent(Health(), seen(Outcome("gone", 410)))
    assert urgent(DEGRADED, seen(Outcome("throttled", 429, "HTTP 429", 30)))
    assert urgent(DEGRADED, seen(*[FAILED] * 7))
    assert urgent(PAUSED, seen(TAKEN))
    assert urgent(PAUSED, seen(FAILED, probing=True))
    assert not urgent(Health(), seen(TAKEN))
    assert not urgent(DEGRADED, seen(TAKEN, FAILED))
    assert not urgent(PAUSED, seen(FAILED))


def test_a_receiver_that_fails_a_third_at_random_is_hardly_ever_paused() -> None:
    """The reason why it takes ten: with five it would stand still more often than not."""
    chance = random.Random(1)
    health, pauses = Health(), 0
    for _ in range(30_000):
        health = judge(health, seen(FAILED if chance.random() < 1 / 3 else TAKEN), NOW, 0.5)
        if health.status == "paused":
            health, pauses = Health(), pauses + 1
    assert pauses <= 2


verdicts = st.lists(st.sampled_from(["delivered", "rejected", "throttled", "outage", "gone"]), max_size=30)
states = st.builds(
    Health,
    status=st.sampled_from(["healthy", "degraded", "paused", "disabled"]),
    failures=st.integers(0, 40),
    retry_at=st.none() | st.just(NOW),
    failed_at=st.none() | st.just(NOW - timedelta(seconds=20)),
    pace=st.floats(1 / 16, 1),
    paced_at=st.none() | st.just(NOW - timedelta(seconds=5)),
)


@given(states, verdicts, st.booleans(), st.floats(0, 1))
def test_whatever_happens_it_is_in_a_state_that_makes_sense(
    health: Health, outcomes: list[Verdict], probing: bool, chance: float
) -> None:
    found = seen(*(Outcome(verdict, 400, "why") for verdict in outcomes), probing=probing)
    now = judge(health, found, NOW, chance)
    assert 1 / 16 <= now.pace <= 1
    assert now.failures >= 0
    if now.status == "paused" and health.status != "paused":
        assert now.retry_at is not None, "only its operator pauses it for good"
    if "gone" in outcomes and not (health.status == "paused" and health.retry_at is None):
        assert now.status == "disabled"
    if now.retry_at is not None and now.retry_at != health.retry_at:
        assert now.retry_at - NOW <= timedelta(seconds=73)
