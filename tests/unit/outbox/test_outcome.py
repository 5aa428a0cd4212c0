"""What answers mean, and when to try again."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outbox.delivery.outcome import classify, outage_pause, outage_pause_of_key, rejection_pause, retry_after

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
chances = st.floats(0, 1)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([200, 201, 202, 204, 299], "delivered"),
        ([410], "gone"),
        ([429, 502, 504], "throttled"),
        ([400, 401, 403, 404, 409, 413, 422, 451, 499], "rejected"),
        ([100, 301, 302, 307, 308, 408, 500, 501, 503, 599, 600], "outage"),
    ],
)
def test_only_2xx_is_success_and_only_content_uses_up_tries(statuses: list[int], verdict: str) -> None:
    assert {classify(status) for status in statuses} == {verdict}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("30", 30),
        ("86400", 600),
        ("Mon, 23 Nov 2026 05:01:30 GMT", 90),
        ("Mon, 23 Nov 2026 04:00:00 GMT", 0),
        ("Fri, 23 Nov 2096 05:01:30 GMT", 600),
        ("Mon, 99 Nov 2026 05:01:30 GMT", None),
        ("Mon, 23 Nov 2026 05:01:30 -0000", None),
    ],
)
def test_retry_after_is_understood_and_capped(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


numbers = st.integers(min_value=0).map(str) | st.sampled_from(
    ["0", "1", "23", "59", "2026", "9999", "9" * 20, "9" * 5000]
)
zones = st.sampled_from(["GMT", "-0000", "JST", ""]) | st.builds("{}{}".format, st.sampled_from("+-"), numbers)
dates = st.builds(
    "Mon, {} {} {} {}:{}:{} {}".format, numbers, st.sampled_from(["Jan", "Nov"]), *[numbers] * 4, zones
)


@given(st.text() | dates)
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 23 Nov 2026 05:01:30 +99999999999999")
def test_retry_after_never_fails(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or 0 <= seconds <= 600


@given(st.integers(0, 10_000), chances)
def test_outages_pause_longer_each_time_up_to_a_quarter_of_a_minute(failures: int, chance: float) -> None:
    plain = min(2.0 ** min(failures, 6), 15)
    assert plain * 0.79 <= outage_pause(failures, None, chance) <= plain * 1.21


@given(st.integers(0, 10_000), chances)
def test_a_key_that_failed_pauses_longer_each_time_up_to_a_minute(outages: int, chance: float) -> None:
    plain = min(0.5 * 2.0 ** min(outages, 7), 60)
    assert plain * 0.79 <= outage_pause_of_key(outages, chance) <= plain * 1.21


@given(st.integers(0, 20), st.floats(0, 600), chances)
def test_what_the_endpoint_asked_for_is_never_cut_short(failures: int, asked: float, chance: float) -> None:
    assert asked <= outage_pause(failures, asked, chance) <= asked * 1.2


@given(chances)
def test_rejected_content_is_offered_six_times(chance: float) -> None:
    pauses = [rejection_pause(tries, chance) for tries in range(8)]
    assert pauses[5:] == [None, None, None]
    for pause, plain in zip(pauses, (5, 30, 120, 600, 1800), strict=False):
        assert pause is not None
        assert plain * 0.79 <= pause <= plain * 1.21
