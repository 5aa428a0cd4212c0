"""Logs: one line per event that matters, as text for a terminal or as JSON. docs/LOGS.md lists the events."""

import logging
import sys
import warnings
from typing import Literal

import structlog

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "text", "json"]


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
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")


class _Libraries(logging.Handler):
    """Passes on what libraries log, as events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record as one line."""
        log = structlog.get_logger()
        message = " ".join(record.getMessage().split())
        log.log(record.levelno, "library", library=record.name, message=message, exc_info=record.exc_info)
