"""Whose turn it is to write into the PMS: few at a time, those of one hotel in the order in which they came.

Of two hundred who ask for the last room, each waits here, in memory, and not for the locks of those before him;
then he finds it free or taken. However many ask for one hotel, other hotels are served beside it, and readers find
a connection.
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
