"""The pages that look on: each gets everything at first, then what changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

QUEUE = 1000
"""News that a page may be behind; one that is further behind is cut off, and starts anew."""


class Audience:
    """Pages that are connected.

    Args:
        state: Gives the whole state, the first thing that a page gets.
    """

    def __init__(self, state: Callable[[], dict[str, Any]]) -> None:
        self._state = state
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._closed = False

    def tell(self, news: dict[str, Any]) -> None:
        """Send something to every page."""
        if not self._queues:
            return
        said = orjson.dumps(news)
        for queue in list(self._queues):
            if queue.qsize() < QUEUE:
                queue.put_nowait(said)
            else:
                self._queues.discard(queue)
                queue.put_nowait(None)

    async def listen(self) -> AsyncIterator[bytes]:
        """What one page is told, as JSON, until it is cut off."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield orjson.dumps(self._state())
            while not self._closed and (said := await queue.get()) is not None:
                yield said
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """Cut every page off."""
        self._closed = True
        for queue in self._queues:
            queue.put_nowait(None)
