"""Hotel-local days as callers write them, and which of them can be asked for."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from api.request.problems import Fault, Place, Problem

MOST_NIGHTS = 400
HORIZON = timedelta(days=730)
"""How far ahead of the hotel-local day a stay may end: nothing is known of availability beyond."""
_PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _plain(value: object) -> object:
    """Take no text but YYYY-MM-DD: pydantic would also read numbers and instants as dates."""
    if not isinstance(value, str):
        return value
    if not _PLAIN.fullmatch(value):
        raise ValueError("a date is written YYYY-MM-DD")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_plain)]
"""A hotel-local day, YYYY-MM-DD."""


def today(time_zone: str) -> date:
    """The day it is at the hotels."""
    return datetime.now(ZoneInfo(time_zone)).date()


def check_nights(
    first: date,
    until: date,
    now: date,
    names: tuple[str, str] = ("check_in", "check_out"),
    *,
    place: Place = "query",
    ahead: timedelta | None = HORIZON,
) -> None:
    """Make sure that the nights of [first, until) can be asked for.

    now: the hotel-local day; ahead: how far from there they may end, None for as far as anybody likes.

    Raises:
        Problem: they are reversed, begin in the past, are too many, or too far ahead.
    """
    faults = []
    if first < now:
        faults.append(Fault(f"/{names[0]}", f"It lies in the past: at the hotel it is {now}.", place))
    if until <= first:
        faults.append(Fault(f"/{names[1]}", f"It must be later than {names[0]}.", place))
    elif (until - first).days > MOST_NIGHTS:
        faults.append(Fault(f"/{names[1]}", f"At most {MOST_NIGHTS} nights can be asked for.", place))
    elif ahead is not None and until > now + ahead:
        said = f"It must not be later than {now + ahead}: nothing is sold beyond."
        faults.append(Fault(f"/{names[1]}", said, place))
    if faults:
        raise Problem("invalid_request", faults=faults)
