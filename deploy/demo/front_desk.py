"""The front desk of the PMS, for a visitor of the demo: books a room as the PMS's own application does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from deploy.pms.prices import price
from deploy.pms.simulator import NothingToDoError
from deploy.pms.simulator.desk import Desk
from deploy.pms.simulator.nights import any_client, any_plan, insert_nights, insert_reservation

FURTHEST = 700
"""Days ahead that rooms can be booked."""
LONGEST = 14
"""Most nights of a stay."""


class NoRoomError(Exception):
    """The front desk cannot do it; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a guest asks for; room_type None is any."""

    hotel: int
    room_type: int | None
    check_in: date
    nights: int

    @classmethod
    def read(cls, said: object) -> Wish:
        """Read it from JSON.

        Raises:
            NoRoomError: It cannot be understood, or lies too far away.
        """
        if not isinstance(said, dict):
            raise NoRoomError("The request is not a JSON object.")
        try:
            room_type = said.get("room_type")
            wish = cls(
                int(said["hotel"]),
                None if room_type is None else int(room_type),
                date.fromisoformat(said["check_in"]),
                int(said["nights"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NoRoomError(f"The request is not complete: {error}") from None
        if not 1 <= wish.nights <= LONGEST:
            raise NoRoomError(f"A stay has 1 to {LONGEST} nights.")
        if not timedelta() <= wish.check_in - today() <= timedelta(days=FURTHEST):
            raise NoRoomError(f"Rooms can be booked from today to {FURTHEST} days ahead.")
        return wish


def today() -> date:
    """The hotels' day."""
    return datetime.now(ZoneInfo("Asia/Tokyo")).date()


class FrontDesk:
    """A clerk at the PMS.

    Args:
        dsn: The PMS's database, as its owner.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._rng = Random()

    async def hold(self, wish: Wish) -> str:
        """Hold a free room in one transaction; returns the booking's id when that is committed.

        Raises:
            NoRoomError: No such room is free.
        """
        async with await self._connect() as conn:
            desk = self._desk(conn)
            async with desk.transaction():
                rooms = await desk.free_rooms(wish.hotel, wish.check_in, wish.nights)
                fitting = [room for room, kind, _ in rooms if wish.room_type in {None, kind}]
                if not fitting:
                    raise NoRoomError("No such room is free on all of these nights.")
                client = await any_client(desk)
                booking = await insert_reservation(
                    desk, wish.hotel, client, check_in=wish.check_in, nights=wish.nights, people=1
                )
                room: Sequence[int] = [desk.rng.choice(fitting)]
                await insert_nights(desk, wish.hotel, booking, room, check_in=wish.check_in, nights=wish.nights)
        return str(booking)

    async def confirm(self, wish: Wish, booking: str) -> None:
        """Give a held booking a plan and its prices, and confirm it, in a transaction of its own."""
        async with await self._connect() as conn:
            desk = self._desk(conn)
            try:
                plan = await any_plan(desk, wish.hotel)
            except NothingToDoError:
                return
            async with desk.transaction():
                for number in range(wish.nights):
                    night = wish.check_in + timedelta(days=number)
                    await desk.run(
                        """UPDATE reservation_details SET plans_global_id = %s, plans_hotel_id = %s, plan_name = %s,
                            plan_type = %s, price = %s, billable = true, updated_by = 3
                        WHERE hotel_id = %s AND reservation_id = %s AND date = %s""",
                        plan.global_id,
                        plan.hotel_id,
                        plan.name,
                        plan.plan_type,
                        price(plan.rates, night),
                        wish.hotel,
                        UUID(booking),
                        night,
                    )
                await desk.run(
                    "UPDATE reservations SET status = 'confirmed', updated_by = 3 WHERE hotel_id = %s AND id = %s",
                    wish.hotel,
                    UUID(booking),
                )

    def _desk(self, conn: psycopg.AsyncConnection[tuple[object, ...]]) -> Desk:
        return Desk(conn, self._rng, today(), 0.0)

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, application_name="pms", options="-c timezone=Asia/Tokyo"
        )
