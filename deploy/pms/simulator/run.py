"""Running the flows at random over several connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import count
from random import Random

import psycopg
from psycopg import errors

from deploy.pms.simulator import blocks, channels, guests, house, moves, noise, plans, rates, stays
from deploy.pms.simulator.desk import Desk, Flow, NothingToDoError

THEMES = (stays, channels, moves, blocks, house, plans, rates, guests, noise)
FLOWS: dict[str, Flow] = {name: flow for theme in THEMES for name, flow in theme.flows.performers.items()}
WEIGHTS: dict[str, float] = {name: weight for theme in THEMES for name, weight in theme.flows.weights.items()}

RETRIED = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
GIVEN_UP = (errors.IntegrityError, errors.QueryCanceled)
ATTEMPTS = 3
LONGEST_PAUSE = 5.0


class Simulator:
    """Everybody who works with the PMS, acting at random.

    The same seed gives each connection the same choices; how the connections interleave is up to the server.

    Args:
        dsn: The PMS database, as its owner.
        seed: What the choices are drawn from.
        connections: How many users act at once.
        rate: Actions per second over all of them; None is as fast as the server answers.
        today: The hotel-local day that staff live in.
        weights: Relative frequencies by flow name instead of WEIGHTS; flows that are not named are not performed.
        pause: Seconds that a slow user's transaction stays open.
        agent: The channel whose reservations are acted on most of the time; None is all alike.
        on_action: Called after each action with the flow's name.

    Attributes:
        actions: How often each flow was performed.
        troubles: How often something went wrong and was borne: PostgreSQL's name of the error, `reconnected`.
    """

    def __init__(
        self,
        dsn: str,
        *,
        seed: int,
        connections: int = 4,
        rate: float | None = None,
        today: date,
        weights: Mapping[str, float] | None = None,
        pause: float = 0.2,
        agent: str | None = None,
        on_action: Callable[[str], None] | None = None,
    ) -> None:
        chosen = WEIGHTS if weights is None else weights
        if unknown := chosen.keys() - FLOWS.keys():
            raise ValueError(f"no such flow: {', '.join(sorted(unknown))}; there are {', '.join(sorted(FLOWS))}")
        self._dsn, self._seed, self._connections = dsn, seed, connections
        self._rate, self._today, self._pause, self._on_action = rate, today, pause, on_action
        self._agent = agent
        self._names, self._weights = list(chosen), list(chosen.values())
        self._due: Iterator[int] = count()
        self.actions: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()

    async def run(self, actions: int | None = None, stop: asyncio.Event | None = None) -> Counter[str]:
        """Act until so many actions are done or `stop` is set, whichever comes first; without either, for ever.

        Returns:
            How often each flow was performed in this run.
        """
        before = self.actions.copy()
        limit = None if actions is None else self.actions.total() + actions
        self._due = count()
        started = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for number in range(self._connections):
                group.create_task(self._work(number, limit, started, stop or asyncio.Event()))
        return self.actions - before

    async def perform(self, flow: str, *, tries: int = 200) -> None:
        """Perform one flow once, on a connection of its own, looking for something to act on a few times.

        Raises:
            NothingToDoError: There was nothing to act on.
        """
        rng = Random(f"{self._seed} {flow} {self.actions.total()}")
        async with await self._connect() as conn:
            desk = Desk(conn, rng, self._today, self._pause, self._agent)
            for _ in range(tries):
                if await self._attempt(desk, flow):
                    return
        raise NothingToDoError(f"{flow}: nothing to act on in {tries} tries")

    async def _work(self, number: int, limit: int | None, started: float, stop: asyncio.Event) -> None:
        rng = Random(f"{self._seed} {number}")
        pause = 0.05
        while not self._finished(limit, stop):
            try:
                async with await self._connect() as conn:
                    desk = Desk(conn, rng, self._today, self._pause, self._agent)
                    while not self._finished(limit, stop):
                        await self._keep_pace(started, stop)
                        pause = 0.05
                        await self._act(desk, limit, stop)
            except psycopg.OperationalError:
                # The server restarts or the connection was cut: users log in again, all a little apart.
                self.troubles["reconnected"] += 1
                await asyncio.sleep(pause * rng.uniform(0.5, 1))
                pause = min(pause * 2, LONGEST_PAUSE)

    def _finished(self, limit: int | None, stop: asyncio.Event) -> bool:
        return stop.is_set() or (limit is not None and self.actions.total() >= limit)

    async def _keep_pace(self, started: float, stop: asyncio.Event) -> None:
        """Wait for the next action's time, which does not depend on how long others take."""
        if self._rate is None:
            return
        due = started + next(self._due) / self._rate
        wait = due - asyncio.get_running_loop().time()
        if wait > 0:
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                return

    async def _act(self, desk: Desk, limit: int | None, stop: asyncio.Event) -> None:
        """Perform one action, of another flow where the chosen one finds nothing to do."""
        while not self._finished(limit, stop):
            if await self._attempt(desk, desk.rng.choices(self._names, self._weights)[0]):
                return

    async def _attempt(self, desk: Desk, name: str) -> bool:
        for _ in range(ATTEMPTS):
            try:
                await FLOWS[name](desk)
            except NothingToDoError:
                return False
            except RETRIED as error:
                self.troubles[type(error).__name__] += 1
            except GIVEN_UP as error:
                self.troubles[type(error).__name__] += 1
                return False
            else:
                self.actions[name] += 1
                if self._on_action is not None:
                    self._on_action(name)
                return True
        return False

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, application_name="pms", options="-c timezone=Asia/Tokyo"
        )
