"""Speaking to an engine's own cache interface."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

from outbox import signing
from outbox.delivery import cache_refresh
from outbox.delivery.cache_refresh import Call
from outbox.delivery.compose import Composed, Message
from outbox.delivery.line import Line
from outbox.delivery.outcome import Outcome
from outbox.delivery.sender import Sent, sent
from sql.delivery import Claim, Target

_SETTLING = 0.05
"""Seconds. The engine answers by reading from the API, whose calendar is up to 25 ms older than the documents."""


class Refresher:
    """The format `cache-refresh`: calls by which an engine fetches what has changed.

    Args:
        target: the endpoint.
        line: the way to its cache interface, with the header that it asks for.
        today: tells the hotels' day.
    """

    def __init__(self, target: Target, line: Line, today: Callable[[], date]) -> None:
        self._target = target
        self._line = line
        self._today = today

    def compose(self, claims: Iterable[Claim]) -> Composed:
        """See Sender."""
        return cache_refresh.compose(claims, self._today(), not_before=time.monotonic() + _SETTLING)

    def heartbeat(self, _as_of: datetime | None, _behind: int) -> Message:
        """See Sender."""
        return cache_refresh.status()

    def test(self) -> Message:
        """See Sender."""
        return cache_refresh.status()

    async def send(self, message: Message) -> Sent:
        """See Sender."""
        assert isinstance(message, Call)
        webhook_id = signing.webhook_id(self._target.id, message.type, message.data)
        await asyncio.sleep(max(message.not_before - time.monotonic(), 0))
        at, started = datetime.now(UTC), time.perf_counter()
        outcome = await self._call(message)
        size = sum(map(len, message.bodies))
        return sent(message, outcome, webhook_id, at=at, seconds=time.perf_counter() - started, size=size)

    async def _call(self, call: Call) -> Outcome:
        if not call.bodies:
            return _judged(await self._line.get(f"/{call.type}"))
        outcome = Outcome("delivered")
        for body in call.bodies:
            outcome = await self._line.post(body, {}, path=f"/{call.type}")
            if outcome.verdict != "delivered":
                break
        return _judged(outcome)


def _judged(outcome: Outcome) -> Outcome:
    """Take a refused API key (401, 403) for an outage: it says nothing of the call, and everything waits for it."""
    return replace(outcome, verdict="outage") if outcome.status in {401, 403} else outcome
