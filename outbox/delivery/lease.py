"""A worker's life in the database: what it claimed is its own as long as it renews its lease.

Beside keys, workers share the lanes of endpoints. Who comes begins nothing until all the others have heard of him,
and what they had on their way in lanes that are his now has ended. Who leaves gives his lanes back at once; who is
heard of no more keeps them until his lease ends, as he may send on until shortly before.
"""

import asyncio
import contextlib
import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import psycopg
import structlog

from outbox.delivery.shares import Shares
from outbox.delivery.steady import steadily
from outbox.metrics import WORKERS
from sql import workers
from sql.endpoints import START, Position
from sql.pool import Pool
from sql.workers import Roster

_SAFE = 0.9
"""Share of the lease after which sends are cancelled: nothing may be on its way when others take over."""
_AGAIN = 0.05
"""Share of the lease after which a renewal that failed is tried again."""
_SOON = 0.025
"""Share of the lease after which it is renewed while somebody waits to be heard of."""
_log = structlog.get_logger(__name__)


class Lease:
    """One row that is renewed three times per lease, whatever the number of keys claimed.

    Attributes:
        worker: this worker's id, new with every start.
        seconds: how long others wait for a worker that they do not hear of.
        fence: of the server on which this was found to be held; another one after each of its crashes.
        shares: its lanes, and what is on its way in them.
        term: rises whenever it is gained.
        gained: called when it is held, for the first time or again.
        lapsed: called when it could not be renewed in time.
        shared: called when its lanes are others.
    """

    def __init__(self, pool: Pool, seconds: float) -> None:
        self.worker = uuid4()
        self.seconds = seconds
        self.shares = Shares(self.worker)
        self.term = 0
        self.gained: Callable[[], None] = _nothing
        self.lapsed: Callable[[], None] = _nothing
        self.shared: Callable[[], None] = _nothing
        self._pool = pool
        # Times of the database's clock: `_since` this worker came, `_news` is when the workers last were others,
        # `_met` when it last looked who they are, `_kept` the look that all of its sends keep to. `_known`: all
        # others have heard of it. `_awaiting`: after a crash, that what was on its way has ended.
        self._known = False
        self._since: datetime | None = None
        self._news: datetime | None = None
        self.fence: UUID | None = None
        self._awaiting = False
        self._hurry = asyncio.Event()
        self._met: datetime | None = None
        self._kept: datetime | None = None
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

    def lanes(self, endpoint_id: int, whole: int) -> int:
        """How many of an endpoint's lanes may be begun in now."""
        return self.shares.lanes(endpoint_id, whole) if self._known and self.held else 0

    async def keep(self) -> None:
        """Renew it until cancelled, telling when it is gained and when it lapses."""
        while True:
            began = time.monotonic()
            try:
                news = await self._renew()
            except psycopg.Error as error:
                _log.warning("lease_not_renewed", error=str(error).strip())
                await asyncio.sleep(self.seconds * _AGAIN)
            else:
                self._begin(began)
                if news:
                    self.shared()
                await self._rest(self._pause())

    async def _rest(self, seconds: float) -> None:
        """Until the next renewal is due, or wanted at once."""
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def leave(self) -> None:
        """Let others take at once what is left."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self._until = -math.inf
        await steadily(self._pool, partial(workers.leave, worker=self.worker))

    def lose(self, endpoint_id: int, token: UUID) -> None:
        """Note a claim whose outcome is not known: it is given back once it must have ended.

        Otherwise its keys would stay this worker's, which knows nothing of them, for as long as it lives.
        """
        self._lost[token] = (endpoint_id, time.monotonic() + self.seconds)
        # Perhaps the server has crashed, and no claim is made before that is known.
        self._hurry.set()

    async def give_back(self) -> None:
        """Give back until cancelled what was claimed and nobody knows of."""
        while True:
            await asyncio.sleep(self.seconds / 3)
            now = time.monotonic()
            due: dict[int, list[UUID]] = {}
            for token, (endpoint_id, after) in self._lost.items():
                if after <= now:
                    due.setdefault(endpoint_id, []).append(token)
            for endpoint_id, tokens in due.items():
                await forget(self._pool, endpoint_id, tokens)
                for token in tokens:
                    del self._lost[token]

    async def _renew(self) -> bool:
        name = f"{socket.gethostname()} {os.getpid()}"
        if not self.held:
            # Others may have taken its lanes: it comes as if it were new.
            self._known, self._since = False, None
        if not self.shares.busy.total():
            self._awaiting = False
        if self.shares.kept and not self._awaiting:
            self._kept = self._met
        async with self._pool.connection() as conn:
            if self._since is None:
                # Committed before the next one begins: whoever looks later than that has heard of it.
                await workers.renew(conn, self.worker, name=name, lease=self.seconds)
            roster = await workers.renew(conn, self.worker, name=name, lease=self.seconds, kept=self._kept)
        WORKERS.set(len(roster.others) + 1)
        return self._meet(roster)

    def _meet(self, roster: Roster) -> bool:
        """Note who else delivers; returns whether its lanes are others by that."""
        if self.fence not in {None, roster.fence}:
            # The crash may have taken claims back: nobody begins until all that was on its way has ended.
            self._known, self._since, self._kept, self._awaiting = False, None, None, True
        self.fence = roster.fence
        if self._since is None or roster.now < self._since:
            self._since = self._news = roster.now
        since, knew = self._since, self._known
        heard = all(kept and kept >= since for kept in roster.others.values())
        self._known = knew or (heard and not self._awaiting)
        self._met = roster.now
        if self.shares.meet(roster.others):
            self._news = roster.now
        return self._news == roster.now or self._known != knew

    def _pause(self) -> float:
        """Seconds until it is renewed: soon while it waits to be heard of, or others may."""
        heard = self._kept and self._news and self._kept >= self._news
        return self.seconds * (1 / 3 if heard and self._known else _SOON)

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


async def forget(pool: Pool, endpoint_id: int, tokens: Sequence[UUID]) -> None:
    """Give back what was claimed with these tokens, looking at all that an endpoint is behind on in pages."""
    after: Position | None = START
    while after is not None:
        after = await steadily(pool, partial(workers.forget, endpoint_id=endpoint_id, tokens=tokens, after=after))


def _nothing() -> None:
    """What is called until somebody wants to know."""
