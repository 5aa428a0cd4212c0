"""Whose turn it is to write into the PMS: few at a time, those of one hotel in the order in which they came.

Who asks for the last room beside two hundred others waits here, in memory, until those before him are done, and not
for their locks: he then finds it free or taken. And however many ask for one hotel, others are served beside them,
and who only reads finds a connection.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

AT_ONCE = 6
"""Of all hotels together."""
_OF_ONE = 4
_PATIENCE = 20.0


class Turns:
    """The turns of one process; several processes are kept apart by the locks of the database."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(AT_ONCE)
        self._lanes: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, lane: Hashable) -> AsyncIterator[None]:
        """Have a turn for the length of a block. lane: whose turns they are; first come, first served.

        Raises:
            TimeoutError: too many were before.
        """
        own = self._lanes.get(lane)
        if own is None:
            own = self._lanes[lane] = asyncio.Semaphore(_OF_ONE)
        async with AsyncExitStack() as held:
            async with asyncio.timeout(_PATIENCE):
                await held.enter_async_context(own)
                await held.enter_async_context(self._all)
            yield
