"""Logs: one line per event that matters, as text for a terminal or as JSON. docs/LOGS.md lists the events."""

import logging
import re
import sys
import time
import warnings
from typing import Literal

import structlog

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "text", "json"]

REPEAT_SECONDS = 60.0
"""What a library says again and again is passed on so seldom."""
_NUMBER = re.compile(r"\b(0x[0-9a-f]+|[0-9.]+)\b")


def configure(level: Level, form: Format) -> None:
    """Send our events to standard error; libraries' warnings come the same way."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if text:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    threshold = logging.getLevelName(level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Libraries()], force=True)
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")


class Libraries(logging.Handler):
    """Passes on what libraries log, as events of ours: what one repeats, once a minute.

    A pool whose server is away says so at each of its attempts. Lines that differ in numbers alone are repetitions,
    but not those of another level, or of another exception.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[object, ...], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record as one line, unless it is a repetition."""
        message = " ".join(record.getMessage().split())
        fault = record.exc_info[0] if record.exc_info else None
        if self._repeats(record.name, record.levelno, fault, _NUMBER.sub("0", message)):
            return
        log = structlog.get_logger()
        log.log(record.levelno, "library", library=record.name, message=message, exc_info=record.exc_info)

    def _repeats(self, *what: object) -> bool:
        now = time.monotonic()
        self._said = {one: at for one, at in self._said.items() if now - at < REPEAT_SECONDS}
        if what in self._said:
            return True
        self._said[what] = now
        return False
