"""What an answer means, and when to try again: pure functions of what came back."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Verdict = Literal["delivered", "rejected", "gone", "throttled", "outage"]

_LONGEST_RETRY_AFTER = 600.0
_LONGEST_PROBE_PAUSE = 15.0
"""Until its first answer an endpoint that is back still sells what it knew before, and one request is no load."""
_LONGEST_PAUSE_OF_KEY = 60.0
_NONSENSE = (ArithmeticError, LookupError, TypeError, ValueError)
"""What parsing a date raises that is none; one in a year or zone beyond all calendars overflows."""
_REJECTION_PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a send.

    status: HTTP's, None without an answer; retry_after: seconds the endpoint asked for; forbidden: it was an outage
    of our own making, because nothing may be sent to its address.
    """

    verdict: Verdict
    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    answer: str | None = None
    forbidden: bool = False


def classify(status: int) -> Verdict:
    """What an HTTP status means for what was sent.

    Only 2xx is success. A redirect is an endpoint that is set up wrongly: it will be put right there.
    """
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    if status in {429, 502, 504}:
        return "throttled"
    if 400 <= status < 500 and status != 408:
        return "rejected"
    return "outage"


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for in either form, ten minutes at most; None for nonsense."""
    if not header:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else _until(header, now)
    except _NONSENSE:
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def outage_pause(failures: int, asked: float | None, chance: float) -> float:
    """Seconds until an endpoint that was paused is tried again, `failures` of its probes having failed.

    One second, doubling to 15, or what the endpoint asked for; ±20 % by `chance` in 0..1, so that endpoints that
    went down together do not come back together. What was asked for is never cut short.
    """
    if asked is not None:
        return asked * (1 + 0.2 * chance)
    return min(2.0 ** min(failures, 10), _LONGEST_PROBE_PAUSE) * _jitter(chance)


def outage_pause_of_key(outages: int, chance: float) -> float:
    """Seconds until a key is sent again of which `outages` sends failed before this one: half a second, doubling.

    At most a minute; ±20 % by `chance` in 0..1.
    """
    return min(0.5 * 2.0 ** min(outages, 10), _LONGEST_PAUSE_OF_KEY) * _jitter(chance)


def rejection_pause(tries: int, chance: float) -> float | None:
    """Seconds until content is offered again that was rejected `tries` times before this; None: never."""
    if tries >= len(_REJECTION_PAUSES):
        return None
    return _REJECTION_PAUSES[tries] * _jitter(chance)


def _jitter(chance: float) -> float:
    return 0.8 + 0.4 * chance


def _until(header: str, now: datetime) -> float:
    at = parsedate_to_datetime(header)
    if at.tzinfo is None:
        raise ValueError("a date without a zone")
    return (at - now).total_seconds()
