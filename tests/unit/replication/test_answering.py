"""When a server that asks is answered, and when it is left."""

from __future__ import annotations

from daemon.replication.answering import Answering


def test_the_first_question_is_answered_at_once() -> None:
    assert Answering().ask(now=100.0) == 0


def test_questions_that_follow_an_answer_wait_a_tenth_of_a_second() -> None:
    answering = Answering(answered=100.0)
    assert 0.09 < answering.ask(now=100.001) <= 0.1
    assert answering.ask(now=100.2) == 0


def test_a_server_that_never_stops_asking_is_left_after_two_seconds() -> None:
    answering = Answering()
    left_at = next(tenths for tenths in range(1000) if _asked(answering, tenths / 10))
    assert 20 <= left_at <= 22


def test_a_position_that_moves_keeps_us() -> None:
    answering = Answering()
    for tenths in range(1000):
        assert not _asked(answering, tenths / 10)
        if tenths % 15 == 0:
            answering.moved(tenths / 10)


def test_questions_with_pauses_between_them_are_no_series() -> None:
    answering = Answering()
    assert not any(_asked(answering, seconds) for seconds in range(0, 1000, 2))


def _asked(answering: Answering, now: float) -> bool:
    answering.ask(now)
    return answering.hopeless
