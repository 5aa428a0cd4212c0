"""Where the feed's numberer begins to look."""

from __future__ import annotations

from outbox.feed import Tail


def test_a_look_begins_after_what_was_told_more_than_a_minute_ago() -> None:
    tail = Tail()
    assert tail.begin(0.0) == 0
    tail.end(0, 0.001, 10, 0.0)
    assert tail.begin(1.0) == 0  # nothing is a minute old yet
    for now, told in ((20.0, 20), (40.0, 30), (61.0, 40), (62.0, 50), (122.0, 60)):
        tail.end(tail.begin(now), 0.001, told, now)
    tail.end(0, 0.001, 0, 123.0)
    assert tail.begin(124.0) == 40


def test_everything_is_looked_at_now_and_then_for_a_hundredth_of_the_time() -> None:
    tail = Tail()
    for now in (0.0, 61.0, 122.0, 183.0):
        tail.end(tail.begin(now), 0.001, 100, now)
    assert tail.begin(184.0) == 100
    assert tail.begin(214.0) == 0
    tail.end(0, 2.0, 0, 214.0)
    assert tail.begin(413.0) == 100
    assert tail.begin(415.0) == 0
