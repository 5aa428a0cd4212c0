"""Reservations that hold rooms for us: how they read, confirming and deleting them.

Every function runs in the caller's transaction, after `sql.pms.brevity.act_as`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from sql.pms.booking import ASKED, Reservation, RoomNight, Signature, insert_guests, insert_rates, rows
from sql.pms.clients import HOLD
from sql.pms.rooms import Nights, Room
from sql.queries import fill, load

_QUERIES = load("pms/holding.sql")
_CONFIRM_NIGHTS = fill(_QUERIES["confirm_nights"], asked=ASKED)


@dataclass(frozen=True, slots=True)
class Held:
    """What a hold keeps, as staff have left it.

    ids: (room id, date) → night; for_sale: whether all of its rooms can be sold.
    """

    status: str
    nights: Nights
    rooms: Sequence[Room]
    ids: dict[tuple[int, date], UUID]
    for_sale: bool

    @property
    def whole(self) -> bool:
        """Whether it still holds each of its rooms for all nights, and they can be sold."""
        dates = [self.nights.check_in + timedelta(days=n) for n in range(len(self.nights))]
        kept = {(room.id, day) for room in self.rooms for day in dates}
        return self.status == "hold" and self.for_sale and self.ids.keys() == kept


async def lock(conn: AsyncConnection, hotel_id: int, reservation_id: UUID) -> Held | None:
    """Lock a reservation with its nights; None where it is gone."""
    wanted = {"hotel": hotel_id, "id": reservation_id}
    row = await (await conn.execute(_QUERIES["lock"], wanted)).fetchone()
    if row is None:
        return None
    rooms: dict[int, Room] = {}
    ids: dict[tuple[int, date], UUID] = {}
    for_sale = True
    found = await conn.execute(_QUERIES["nights"], wanted)
    async for night_id, day, room_id, room_type, capacity, can_be_sold in found:
        rooms[room_id] = Room(room_id, room_type, capacity, None)
        ids[room_id, day] = night_id
        for_sale = for_sale and can_be_sold
    return Held(row[0], Nights(hotel_id, row[1], row[2]), list(rooms.values()), ids, for_sale)


class GivenAway(NamedTuple):
    """What staff have done with what they see held.

    room: another stay has one of its rooms, too; itself: it is for a guest of theirs, or sold by them.
    """

    room: bool
    itself: bool


async def given_away(conn: AsyncConnection, hotel_id: int, reservation_id: UUID) -> GivenAway:
    """Whether staff have given a hold to others; to be asked once it is locked, of what was committed by then."""
    values = {"hotel": hotel_id, "id": reservation_id, "nobody": HOLD}
    row = await (await conn.execute(_QUERIES["given_away"], values)).fetchone()
    assert row is not None  # a select of expressions gives one row
    return GivenAway(*row)


async def digest(conn: AsyncConnection, hotel_id: int, reservation_id: UUID) -> str | None:
    """How a reservation reads now: another text once staff have changed it. None where it is gone."""
    wanted = {"hotel": hotel_id, "id": reservation_id}
    row = await (await conn.execute(_QUERIES["digest"], wanted)).fetchone()
    if row is None:
        return None
    has_parking, text = row
    parked = await (await conn.execute(_QUERIES["parking"], wanted)).fetchone() if has_parking else None
    return f"{text} {parked[0]}" if parked and parked[0] else str(text)


async def confirm(
    conn: AsyncConnection, held: Held, made: Reservation, nights: Sequence[RoomNight], by: Signature
) -> None:
    """Turn a hold into a booking; every night keeps its id."""
    hotel_id = made.nights.hotel_id
    head = {
        "id": made.id, "hotel": hotel_id, "client": made.client_id, "people": made.people, "user": by.user,
        "external_id": made.external_id, "payment_timing": made.payment_timing, "comment": made.comment,
    }  # fmt: skip
    await conn.execute(_QUERIES["confirm"], head)
    named = [(held.ids[night.room_id, night.date], night) for night in nights]
    await conn.execute(_CONFIRM_NIGHTS, {"hotel": hotel_id, "user": by.user, "nights": rows(named)})
    await insert_rates(conn, hotel_id, named, by)
    await insert_guests(conn, hotel_id, named, by)


async def delete(conn: AsyncConnection, hotel_id: int, reservation_id: UUID) -> None:
    """Delete a reservation with all that hangs on it."""
    await conn.execute(_QUERIES["delete"], {"hotel": hotel_id, "id": reservation_id})
