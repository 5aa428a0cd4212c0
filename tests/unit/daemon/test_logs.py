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


def test_a_pool_says_once_that_its_server_is_away(clock: Clock, pool: logging.Logger) -> None:
    with capture_logs() as lines:
        for second in range(200):
            clock.now = float(second)
            pool.warning("error connecting in %r: %s", "delivery", "Connection refused")
            pool.warning("discarding closed connection: <AsyncConnection [BAD] at 0x7f5901baf%03x>", second)
        pool.warning("error connecting in %r: %s", "capture", "Connection refused")
        assert [line["message"].split(":")[0] for line in lines] == [
            "error connecting in 'delivery'",
            "discarding closed connection",
            "error connecting in 'capture'",
        ]
        clock.now += logs.SILENT_SECONDS
        pool.warning("error connecting in %r: %s", "delivery", "Connection refused")
        assert len(lines) == 4, "it is news again"


def test_what_differs_is_all_said(clock: Clock, pool: logging.Logger) -> None:
    assert clock() == 0.0
    with capture_logs() as lines:
        pool.warning("one")
        pool.error("two")
        pool.warning("one")
    assert [(line["library"], line["log_level"], line["message"]) for line in lines] == [
        ("psycopg.pool", "warning", "one"),
        ("psycopg.pool", "error", "two"),
    ]
