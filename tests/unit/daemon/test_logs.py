"""What libraries log is passed on, but not again and again."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from daemon import logs


class Clock:
    """A clock that stands still unless it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("daemon.logs.time.monotonic", clock)
    return clock


@pytest.fixture
def pool() -> Iterator[logging.Logger]:
    """A library's logger, whose lines are passed on."""
    logger, handler = logging.Logger("psycopg.pool"), logs.Libraries()
    logger.addHandler(handler)
    yield logger
    handler.close()


def test_a_pool_says_once_a_minute_that_its_server_is_away(clock: Clock, pool: logging.Logger) -> None:
    with capture_logs() as lines:
        for second in range(60):
            clock.now = float(second)
            pool.warning("error connecting in %r: %s", "delivery", "Connection refused")
            pool.warning("discarding closed connection: <AsyncConnection [BAD] at 0x7f5901baf%03x>", second)
        pool.warning("error connecting in %r: %s", "capture", "Connection refused")
        assert [line["message"].split(":")[0] for line in lines] == [
            "error connecting in 'delivery'",
            "discarding closed connection",
            "error connecting in 'capture'",
        ]
        clock.now = logs.REPEAT_SECONDS
        pool.warning("error connecting in %r: %s", "delivery", "Connection refused")
        assert len(lines) == 4, "it still is"
        pool.warning("error connecting in %r: %s", "capture", "Connection refused")
        assert len(lines) == 4, "that was said a second ago"


def test_what_differs_is_all_said(clock: Clock, pool: logging.Logger) -> None:
    assert clock() == 0.0
    with capture_logs() as lines:
        for _ in range(2):
            pool.warning("attempt 1 failed")
            pool.warning("attempt 2 failed")
            pool.error("attempt 3 failed")
            pool.error("attempt 4 failed", exc_info=OSError("no route"))
            pool.error("attempt 5 failed", exc_info=ValueError("no address"))
            pool.error("another failed")
    assert [(line["library"], line["log_level"], line["message"]) for line in lines] == [
        ("psycopg.pool", "warning", "attempt 1 failed"),
        ("psycopg.pool", "error", "attempt 3 failed"),
        ("psycopg.pool", "error", "attempt 4 failed"),
        ("psycopg.pool", "error", "attempt 5 failed"),
        ("psycopg.pool", "error", "another failed"),
    ]
