"""Changing reservations that came to us, as staff would.

Every function runs in the caller's transaction, after `sql.pms.brevity.act_as`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL

from sql.pms.booking import ASKED, RoomNight, Signature, insert_guests, insert_nights, insert_rates, rows
from sql.pms.prices import CANCEL_FEE
from sql.pms.rooms import Nights
from sql.queries import fill, load

_QUERIES = load("pms/changing.sql")
_CANCEL_FEE = fill(
    _QUERIES["cancel_fee"], fee=fill(CANCEL_FEE, noted=SQL("rate.noted"), price=SQL("coalesce(d.price, 0)"))
)
_MOVE_NIGHTS, _REPRICE_NIGHTS = (fill(_QUERIES[name], asked=ASKED) for name in ("move_nights", "reprice_nights"))


@dataclass(frozen=True, slots=True)
class Locked:
    """A reservation that nobody else changes until the transaction ends. nights: the ids of all its nights."""

    hotel_id: int
    id: UUID
    status: str
    check_in: date
    check_out: date
    nights: tuple[UUID, ...]


async def lock(conn: AsyncConnection, hotel_id: int, reservation_id: UUID) -> Locked | None:
    """Lock a booking with its nights; None where it is gone or is no booking."""
    wanted = {"hotel": hotel_id, "id": reservation_id}
    row = await (await conn.execute(_QUERIES["lock"], wanted)).fetchone()
    if row is None:
        return None
    nights = tuple([night_id async for (night_id,) in await conn.execute(_QUERIES["lock_nights"], wanted)])
    status, check_in, check_out = row
    return Locked(hotel_id, reservation_id, status, check_in, check_out, nights)


async def cancel(conn: AsyncConnection, booking: Locked, by: Signature) -> int:
    """Cancel a booking with all its nights and parking; rows, prices and payments stay.

    Returns yen: what of its price is due even so, by the function that prices it.
    """
    values = {"hotel": booking.hotel_id, "id": booking.id, "user": by.user, "nights": list(booking.nights)}
    row = await (await conn.execute(_CANCEL_FEE, values)).fetchone()
    await conn.execute(_QUERIES["cancel"], values)
    await conn.execute(_QUERIES["cancel_nights"], values)
    parking = await (await conn.execute(_QUERIES["has_parking"])).fetchone()
    if parking and parking[0]:
        await conn.execute(_QUERIES["cancel_parking"], values)
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Head:
    """How the head of a booking shall read. payment_timing, comment: None where they stay as they are."""

    nights: Nights
    client_id: UUID
    people: int
    payment_timing: str | None = None
    comment: str | None = None


@dataclass(slots=True)
class Differences:
    """What is to become of a booking's nights; those that are in none of these stay as they are.

    dropped: ids; moved: nights whose room or number of people differs; repriced: those under another plan; guests:
    those with other guests; added: new ones.
    """

    dropped: list[UUID] = field(default_factory=list)
    moved: list[tuple[UUID, RoomNight]] = field(default_factory=list)
    repriced: list[tuple[UUID, RoomNight]] = field(default_factory=list)
    guests: list[tuple[UUID, RoomNight]] = field(default_factory=list)
    added: list[RoomNight] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """What it costs to write, by the rows with their logs: 1 for a night that is added."""
        whole, half = len(self.added) + len(self.repriced), len(self.dropped) + len(self.guests)
        return whole + half / 2 + len(self.moved) / 4


async def active_nights(conn: AsyncConnection, booking: Locked) -> dict[tuple[int, date], UUID]:
    """The ids of a locked booking's nights that are not cancelled, by room and date."""
    found = await conn.execute(_QUERIES["active_nights"], {"hotel": booking.hotel_id, "id": booking.id})
    return {(room_id, day): night_id async for night_id, room_id, day in found}


async def has_payments(conn: AsyncConnection, booking: Locked) -> bool:
    """Whether anything was paid on it."""
    wanted = {"hotel": booking.hotel_id, "id": booking.id}
    row = await (await conn.execute(_QUERIES["has_payments"], wanted)).fetchone()
    return bool(row and row[0])


async def change(conn: AsyncConnection, booking: Locked, head: Head, what: Differences, by: Signature) -> None:
    """Write what differs; every other night keeps its id, add-ons and all."""
    hotel_id = booking.hotel_id
    values = {
        "hotel": hotel_id, "id": booking.id, "check_in": head.nights.check_in, "check_out": head.nights.check_out,
        "people": head.people, "client": head.client_id, "payment_timing": head.payment_timing,
        "comment": head.comment, "user": by.user,
    }  # fmt: skip
    await conn.execute(_QUERIES["write_head"], values)
    await _drop(conn, "drop_nights", hotel_id, what.dropped)
    if what.moved:
        moved = {"hotel": hotel_id, "user": by.user, "nights": rows(what.moved)}
        await conn.execute(_MOVE_NIGHTS, moved)
    await _reprice(conn, hotel_id, what.repriced, by)
    await _drop(conn, "drop_guests", hotel_id, [night_id for night_id, _ in what.guests])
    if what.guests:
        await insert_guests(conn, hotel_id, what.guests, by)
    if what.added:
        await insert_nights(conn, hotel_id, booking.id, what.added, by)


async def _drop(conn: AsyncConnection, query: str, hotel_id: int, ids: Sequence[UUID]) -> None:
    if ids:
        await conn.execute(_QUERIES[query], {"hotel": hotel_id, "ids": list(ids)})


async def _reprice(
    conn: AsyncConnection, hotel_id: int, nights: Sequence[tuple[UUID, RoomNight]], by: Signature
) -> None:
    if not nights:
        return
    values = {"hotel": hotel_id, "user": by.user, "nights": rows(nights)}
    await conn.execute(_REPRICE_NIGHTS, values)
    await _drop(conn, "drop_rates", hotel_id, [night_id for night_id, _ in nights])
    await insert_rates(conn, hotel_id, nights, by)
