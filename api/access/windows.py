"""Requests counted in this process: a sliding window of two counters, as `limits` keeps it in Redis.

Counting is on the way of every request. Here it costs a microsecond.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

SECONDS = 60
_MOST = 100_000


class Count(NamedTuple):
    """What a hit came to. remaining: hits that are left; reset: seconds until the window ends."""

    allowed: bool
    remaining: int
    reset: int


@dataclass(slots=True)
class _Window:
    """A minute that began at `began` (monotonic seconds), and the one before it."""

    began: float
    before: int = 0
    hits: int = 0


class Windows:
    """A window for each caller; when there are too many, the one that was idle for longest is forgotten."""

    def __init__(self) -> None:
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()

    def hit(self, who: Hashable, limit: int) -> Count:
        """Count a request, unless `limit` a minute are used up; the previous minute's count less and less."""
        now = time.monotonic()
        window = self._windows.get(who)
        if window is None or now >= window.began + 2 * SECONDS:
            window = self._windows[who] = _Window(now)
            if len(self._windows) > _MOST:
                self._windows.popitem(last=False)
        elif now >= window.began + SECONDS:
            window.began, window.before, window.hits = window.began + SECONDS, window.hits, 0
        self._windows.move_to_end(who)
        left = window.began + SECONDS - now
        used = window.before * left / SECONDS + window.hits
        allowed = used + 1 <= limit
        window.hits += allowed
        return Count(allowed, max(int(limit - used) - allowed, 0), ceil(left))
