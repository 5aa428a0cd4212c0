"""Times at which something is due, and one timer for all of them."""

import asyncio
import heapq
import math
from collections.abc import Callable

_GRAIN = 0.02
"""Seconds: what is due within them is due together, so that a million keys are no million times."""


class Alarm:
    """Calls `ring` when something is due, soon after and never before."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._times: list[int] = []
        self._set: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    def ring_in(self, seconds: float) -> None:
        """Note that something is due in so many seconds from now."""
        at = math.floor((asyncio.get_running_loop().time() + seconds) / _GRAIN) + 1
        if at in self._set:
            return
        self._set.add(at)
        heapq.heappush(self._times, at)
        if self._times[0] == at:
            self._wind()

    def stop(self) -> None:
        """Ring no more."""
        self._times.clear()
        self._set.clear()
        self._wind()

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._times[0] * _GRAIN, self._due) if self._times else None

    def _due(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._times and self._times[0] * _GRAIN <= now:
            self._set.discard(heapq.heappop(self._times))
        self._wind()
        self._ring()
