"""One user's connection to the PMS, with the chance that decides what that user does next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, LiteralString
from uuid import UUID

import psycopg

ALIVE = ("hold", "provisory", "confirmed", "checked_in")
USERS = (1, 3, 4, 5)


class NothingToDoError(Exception):
    """The PMS holds nothing that this flow could act on now; another flow is chosen."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What staff see of a reservation before they act on it."""

    hotel_id: int
    id: UUID
    check_in: date
    check_out: date
    status: str

    @property
    def nights(self) -> int:
        """How many nights it spans: none where two wrote its dates at once, each the one that he moved."""
        return max(0, (self.check_out - self.check_in).days)


@dataclass(slots=True)
class Desk:
    """A connection in autocommit, and the helpers that the flows share.

    Attributes:
        today: The hotel-local day on which staff act.
        pause: Seconds that a slow user leaves a transaction open.
        agent: The channel whose reservations are acted on most of the time, where there are any; None is all alike.
    """

    conn: psycopg.AsyncConnection[tuple[Any, ...]]
    rng: Random
    today: date
    pause: float
    agent: str | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """One transaction of the application, with the user that its log triggers ask for."""
        async with self.conn.transaction():
            await self.run("SELECT set_config('my_app.user_id', %s, true)", str(self.rng.choice(USERS)))
            yield

    async def run(self, query: LiteralString, *params: object) -> int:
        """Execute a statement and return how many rows it touched."""
        return (await self.conn.execute(query, params)).rowcount

    async def rows(self, query: LiteralString, *params: object) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return await (await self.conn.execute(query, params)).fetchall()

    async def row(self, query: LiteralString, *params: object) -> tuple[Any, ...]:
        """Return the first row.

        Raises:
            NothingToDoError: There is none.
        """
        row = await (await self.conn.execute(query, params)).fetchone()
        if row is None:
            raise NothingToDoError
        return row

    def uuid(self) -> UUID:
        """A random id, of this desk's own seed."""
        return UUID(int=self.rng.getrandbits(128), version=4)

    def chance(self, probability: float) -> bool:
        """Throw the dice."""
        return self.rng.random() < probability

    def arrival(self) -> date:
        """A day to arrive on: mostly soon, up to 330 days ahead."""
        return self.today + timedelta(days=min(330, int(self.rng.expovariate(1 / 40))))

    def length(self) -> int:
        """Nights of a stay."""
        return self.rng.choice((1, 1, 1, 2, 2, 3, 4, 7))

    async def hotel(self) -> int:
        """Any hotel."""
        hotels = await self.rows("SELECT id FROM hotels ORDER BY id")
        return int(self.rng.choice(hotels)[0])

    async def reservation(self, statuses: Sequence[str] = ALIVE) -> Reservation:
        """Any reservation in one of these states that has not departed long ago.

        Raises:
            NothingToDoError: The hotel that chance chose has none.
        """
        hotel = await self.hotel()
        agent = self.agent if self.agent is not None and self.chance(0.8) else None
        row = await self.row(
            """SELECT hotel_id, id, check_in, check_out, status FROM reservations
            WHERE hotel_id = %s AND id >= %s AND status = ANY(%s) AND check_out >= %s
                AND (%s::text IS NULL OR agent = %s) ORDER BY id LIMIT 1""",
            hotel,
            self.uuid(),
            list(statuses),
            self.today - timedelta(days=20),
            agent,
            agent,
        )
        return Reservation(*row)

    async def free_rooms(self, hotel: int, check_in: date, nights: int) -> list[tuple[int, int, int]]:
        """Look, as the application does, without any lock, for rooms that are free on all these nights.

        Returns:
            (room id, room type id, capacity) of each, by id.
        """
        return [
            (room, room_type, capacity)
            for room, room_type, capacity in await self.rows(
                """SELECT id, room_type_id, capacity FROM rooms
                WHERE hotel_id = %s AND for_sale AND NOT is_staff_room AND NOT EXISTS (
                    SELECT FROM reservation_details d
                    WHERE d.hotel_id = rooms.hotel_id AND d.room_id = rooms.id AND d.date >= %s AND d.date < %s
                        AND d.cancelled IS NULL)
                ORDER BY id""",
                hotel,
                check_in,
                check_in + timedelta(days=nights),
            )
        ]

    async def free_room(self, hotel: int, check_in: date, nights: int) -> int:
        """One such room.

        Raises:
            NothingToDoError: The hotel is full.
        """
        free = await self.free_rooms(hotel, check_in, nights)
        if not free:
            raise NothingToDoError
        return self.rng.choice(free)[0]


Flow = Callable[[Desk], Awaitable[None]]


@dataclass(slots=True)
class Flows:
    """The flows of one theme by name, and how often each is performed relative to the others."""

    weights: dict[str, float] = field(default_factory=dict)
    performers: dict[str, Flow] = field(default_factory=dict)

    def flow(self, weight: float) -> Callable[[Flow], Flow]:
        """Register a function under its own name."""

        def register(perform: Flow) -> Flow:
            name = perform.__name__
            self.weights[name], self.performers[name] = weight, perform
            return perform

        return register
