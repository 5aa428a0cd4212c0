"""Writing reservations into the PMS as its own path for bookings from outside writes them.

Every function runs in the caller's transaction, after `act_as`. Money is yen with tax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from sql.pms.plans import Plan
from sql.pms.prices import Price
from sql.pms.rooms import Nights
from sql.queries import load

_QUERIES = load("pms/booking.sql")

PaymentTiming = Literal["not_set", "prepaid", "on-site", "postpaid"]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who writes. user: the users.id in created_by and updated_by; agent: our channel name."""

    user: int
    agent: str


@dataclass(frozen=True, slots=True)
class RoomNight:
    """A night in a room. plan and price: None for a hold; guests: the clients who stay."""

    date: date
    room_id: int
    people: int
    plan: Plan | None = None
    price: Price | None = None
    guests: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Reservation:
    """The head of a reservation. people: of all rooms together."""

    id: UUID
    nights: Nights
    client_id: UUID
    people: int
    status: Literal["hold", "confirmed"]
    external_id: str | None = None
    payment_timing: PaymentTiming = "not_set"
    comment: str | None = None


async def act_as(conn: AsyncConnection, user: int) -> None:
    """Tell the PMS's triggers who writes in this transaction."""
    await conn.execute(_QUERIES["act_as"], {"user": user})


async def insert(conn: AsyncConnection, made: Reservation, nights: Sequence[RoomNight], by: Signature) -> None:
    """Write a reservation with its nights, their guests and rates; what is confirmed is billable."""
    head = {
        "id": made.id, "hotel": made.nights.hotel_id, "client": made.client_id, "check_in": made.nights.check_in,
        "check_out": made.nights.check_out, "people": made.people, "status": made.status, "agent": by.agent,
        "external_id": made.external_id, "payment_timing": made.payment_timing, "comment": made.comment,
        "user": by.user,
    }  # fmt: skip
    await conn.execute(_QUERIES["insert_reservation"], head)
    await insert_nights(conn, made.nights.hotel_id, made.id, nights, by, billable=made.status == "confirmed")


async def insert_nights(
    conn: AsyncConnection,
    hotel_id: int,
    reservation_id: UUID,
    nights: Sequence[RoomNight],
    by: Signature,
    *,
    billable: bool,
) -> list[UUID]:
    """Add nights to a reservation, with their guests and rates; returns their ids."""
    ids = [uuid4() for _ in nights]
    plans = [night.plan for night in nights]
    values = {
        "hotel": hotel_id, "reservation": reservation_id, "billable": billable, "user": by.user, "ids": ids,
        "dates": [n.date for n in nights], "rooms": [n.room_id for n in nights],
        "people": [n.people for n in nights], "prices": [n.price.price if n.price else 0 for n in nights],
        "global_plans": [p and p.global_id for p in plans], "hotel_plans": [p and p.hotel_id for p in plans],
        "plan_names": [p and p.name for p in plans],
        "plan_types": [p.plan_type if p else "per_room" for p in plans],
    }  # fmt: skip
    await conn.execute(_QUERIES["insert_nights"], values)
    await insert_rates(conn, hotel_id, zip(ids, nights, strict=True), by)
    await insert_guests(conn, hotel_id, zip(ids, nights, strict=True), by)
    return ids


async def insert_rates(
    conn: AsyncConnection, hotel_id: int, nights: Iterable[tuple[UUID, RoomNight]], by: Signature
) -> None:
    """Note what the prices of these nights are made of."""
    priced = [(night_id, night.price) for night_id, night in nights if night.price is not None]
    if not priced:
        return
    values = {
        "hotel": hotel_id, "user": by.user, "ids": [i for i, _ in priced], "prices": [p.price for _, p in priced],
        "cancel_fees": [p.cancel_fee for _, p in priced], "tax_types": [p.tax_type_id for _, p in priced],
        "tax_rates": [p.tax_rate for _, p in priced],
    }  # fmt: skip
    await conn.execute(_QUERIES["insert_rates"], values)


async def insert_guests(
    conn: AsyncConnection, hotel_id: int, nights: Iterable[tuple[UUID, RoomNight]], by: Signature
) -> None:
    """Note who stays on these nights."""
    staying = [(night_id, client_id) for night_id, night in nights for client_id in night.guests]
    if not staying:
        return
    ids, clients = [list(column) for column in zip(*staying, strict=True)]
    values: dict[str, Any] = {"hotel": hotel_id, "user": by.user, "ids": ids, "clients": clients}
    await conn.execute(_QUERIES["insert_guests"], values)
