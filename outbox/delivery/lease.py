"""A worker's life in the database: what it claimed is its own as long as it renews its lease."""

import asyncio
import math
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import psycopg
import structlog

from outbox.delivery.steady import steadily
from outbox.metrics import WORKERS
from sql import delivery
from sql.pool import Pool

_SAFE = 0.9
"""Share of the lease after which sends are cancelled: nothing may be on its way when others take over."""
_AGAIN = 0.05
"""Share of the lease after which a renewal that failed is tried again."""
_log = structlog.get_logger(__name__)


class Lease:
    """One row that is renewed three times per lease, whatever the number of keys claimed.

    Attributes:
        worker: this worker's id, new with every start.
        seconds: how long others wait for a worker that they do not hear of.
        workers: how many live, as far as known.
        term: rises whenever it is gained.
        gained: called when it is held, for the first time or again.
        lapsed: called when it could not be renewed in time.
    """

    def __init__(self, pool: Pool, seconds: float) -> None:
        self.worker = uuid4()
        self.seconds = seconds
        self.workers = 1
        self.term = 0
        self.gained: Callable[[], None] = _nothing
        self.lapsed: Callable[[], None] = _nothing
        self._pool = pool
        self._end: asyncio.TimerHandle | None = None
        self._until = -math.inf
        self._lost: dict[UUID, tuple[int, float]] = {}

    @property
    def held(self) -> bool:
        """Whether keys may be claimed and sent now."""
        return time.monotonic() < self._until

    def holds(self, term: int) -> bool:
        """Whether it has been held all the time since `term` was what it is.

        If not, others may have taken what was claimed then.
        """
        return self.held and term == self.term

    async def keep(self) -> None:
        """Renew it until cancelled, telling when it is gained and when it lapses."""
        while True:
            began = time.monotonic()
            try:
                await self._renew()
            except psycopg.Error as error:
                _log.warning("lease_not_renewed", error=str(error).strip())
                await asyncio.sleep(self.seconds * _AGAIN)
            else:
                self._begin(began)
                await self._give_back()
                await asyncio.sleep(self.seconds / 3)

    async def leave(self) -> None:
        """Let others take at once what is left."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self._until = -math.inf
        await steadily(self._pool, partial(delivery.leave, worker=self.worker))

    def lose(self, endpoint_id: int, token: UUID) -> None:
        """Note a claim of which nobody knows whether it was made: it is given back when it can have ended.

        Without that its keys would be this worker's, who knows nothing of them, for as long as he lives.
        """
        self._lost[token] = (endpoint_id, time.monotonic() + self.seconds)

    async def _renew(self) -> None:
        name = f"{socket.gethostname()} {os.getpid()}"
        async with self._pool.connection() as conn:
            self.workers = await delivery.renew(conn, self.worker, name=name, lease=self.seconds)
        WORKERS.set(self.workers)

    def _begin(self, began: float) -> None:
        """Count from before the renewal was asked for, which is earlier than the database does."""
        if self._end is not None:
            self._end.cancel()
            if not self.held:
                # The timer is late, as after a pause of the whole machine.
                self._lapse()
        gained = self._end is None
        self._until = began + self.seconds * _SAFE
        left = self._until - time.monotonic()
        self._end = asyncio.get_running_loop().call_later(max(left, 0.0), self._lapse)
        if gained:
            self.term += 1
            self.gained()

    def _lapse(self) -> None:
        self._end = None
        self._until = -math.inf
        _log.warning("lease_lapsed", seconds=self.seconds)
        self.lapsed()

    async def _give_back(self) -> None:
        now = time.monotonic()
        for token, (endpoint_id, after) in list(self._lost.items()):
            if after <= now:
                await steadily(self._pool, partial(delivery.forget, endpoint_id=endpoint_id, token=token))
                del self._lost[token]


def _nothing() -> None:
    """What is called until somebody wants to know."""
