"""How fast one worker sends to one endpoint: pure, as the time is given.

An endpoint that answers slowly gets fewer messages at a time, and fuller ones: meanwhile its keys wait in the
queue, where the newest state replaces what came before.
"""

from collections.abc import Callable

_RISES_IN = 30.0
"""Seconds from nothing to everything, after an endpoint said that it is too much."""
_AHEAD = 0.5
"""Seconds of sends that are claimed ahead: what waits for longer than that grows stale."""
_MOST = 100
_SLOW = 1.0
_LEAST = 0.25
_WEIGHT = 0.1


def risen(pace: float, seconds: float) -> float:
    """The share of an endpoint's pace that it can take so long after it could take `pace`."""
    return min(pace + max(seconds, 0.0) / _RISES_IN, 1.0)


class Pace:
    """One worker's pace towards one endpoint. Times are seconds of any clock that only moves forward.

    Args:
        concurrency: messages that all workers together may have on their way.
        rate: messages a second of all workers together; None for no limit.
        share: tells how many of `concurrency` are this worker's now; all of them, unless given.
        least: keys to claim at once at least, where one message speaks of many.
    """

    def __init__(
        self,
        concurrency: int,
        rate: float | None = None,
        *,
        share: Callable[[], int] | None = None,
        least: int = 1,
    ) -> None:
        self._concurrency = concurrency
        self._rate = rate
        self._share = share or (lambda: concurrency)
        self._least = least
        self._pace = 1.0
        self._paced_at = 0.0
        self._latency: float | None = None

    def adjust(self, *, pace: float, paced_at: float) -> None:
        """Note what the database knows: which share of all the endpoint could take, and when."""
        self._pace, self._paced_at = pace, paced_at

    def took(self, seconds: float) -> None:
        """Note how long an answer took."""
        before = seconds if self._latency is None else self._latency
        self._latency = before + _WEIGHT * (seconds - before)

    @property
    def slow(self) -> bool:
        """Whether it answers so slowly that nothing is claimed ahead."""
        return self._latency is not None and self._latency > _SLOW

    def lanes(self, now: float) -> int:
        """Messages that may be on their way now: one at least, unless nothing is this worker's."""
        mine = self._share()
        ease = max(_SLOW / self._latency, _LEAST) if self._latency and self.slow else 1.0
        return max(int(mine * ease * risen(self._pace, now - self._paced_at)), min(mine, 1))

    def rate(self, now: float) -> float | None:
        """Messages a second that may be sent now; None for no limit."""
        if self._rate is None:
            return None
        return self._rate * self._share() / self._concurrency * risen(self._pace, now - self._paced_at)

    def size(self, now: float) -> int:
        """Keys to claim at once. Where few messages may be sent, more keys than messages: they are put together."""
        if self.slow:
            return _MOST
        if self._rate is not None:
            return min(max(4 * self.room(now), 16), _MOST)
        lanes = self.lanes(now)
        if self._latency is None:
            return min(max(2 * lanes, self._least), _MOST)
        return int(min(max(lanes * _AHEAD / max(self._latency, 0.001), lanes, self._least), _MOST))

    def room(self, now: float) -> int:
        """Messages that may wait for a lane; what a claim came to beyond that goes back into the queue.

        None, where the lanes have become others' while it was made: they would wait for ever.
        """
        if not self.lanes(now):
            return 0
        rate = self.rate(now)
        if rate is not None:
            return max(int(rate * _AHEAD), 1)
        return self.lanes(now) if self.slow else _MOST
