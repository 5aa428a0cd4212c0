"""Writing reservations into the PMS as its own path for bookings from outside writes them.

Every function runs in the caller's transaction, after `sql.pms.brevity.act_as`. Money is yen with tax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid4

import orjson
from psycopg import AsyncConnection

from sql.pms.plans import Plan
from sql.pms.prices import Price
from sql.pms.rooms import Nights
from sql.queries import fill, load

_QUERIES = load("pms/booking.sql")
_ROWS = {name: _QUERIES[name] for name in ("asked", "night_rows", "rate_rows", "guest_rows")}
_INSERT = fill(_QUERIES["insert"], **_ROWS)
_INSERT_NIGHTS = fill(_QUERIES["insert_nights"], **_ROWS)
_INSERT_RATES = fill(_QUERIES["insert_rates"], **_ROWS)
_INSERT_GUESTS = fill(_QUERIES["insert_guests"], **_ROWS)
ASKED = _QUERIES["asked"]
"""A row for each night of `rows` in %(nights)s."""

PaymentTiming = Literal["not_set", "prepaid", "on-site", "postpaid"]


class OvertakenError(Exception):
    """What was looked at was changed before it was locked: look again, in a new transaction."""


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


async def insert(conn: AsyncConnection, made: Reservation, nights: Sequence[RoomNight], by: Signature) -> None:
    """Write a reservation with its nights, their guests and rates; what is confirmed is billable.

    Whether it has its rooms to itself is for `sql.pms.rooms.secure` to find out.
    """
    values = {
        "id": made.id, "hotel": made.nights.hotel_id, "client": made.client_id, "check_in": made.nights.check_in,
        "check_out": made.nights.check_out, "people": made.people, "status": made.status, "agent": by.agent,
        "external_id": made.external_id, "payment_timing": made.payment_timing, "comment": made.comment,
        "user": by.user, "nights": rows((uuid4(), night) for night in nights),
        "billable": made.status == "confirmed",
    }  # fmt: skip
    await conn.execute(_INSERT, values)


async def insert_nights(
    conn: AsyncConnection, hotel_id: int, reservation_id: UUID, nights: Sequence[RoomNight], by: Signature
) -> None:
    """Add billable nights to a reservation, with their guests and rates."""
    values = {
        "hotel": hotel_id, "id": reservation_id, "billable": True, "user": by.user,
        "nights": rows((uuid4(), night) for night in nights),
    }  # fmt: skip
    await conn.execute(_INSERT_NIGHTS, values)


async def insert_rates(
    conn: AsyncConnection, hotel_id: int, nights: Iterable[tuple[UUID, RoomNight]], by: Signature
) -> None:
    """Note what the prices of these nights are made of."""
    await conn.execute(_INSERT_RATES, {"hotel": hotel_id, "user": by.user, "nights": rows(nights)})


async def insert_guests(
    conn: AsyncConnection, hotel_id: int, nights: Iterable[tuple[UUID, RoomNight]], by: Signature
) -> None:
    """Note who stays on these nights."""
    await conn.execute(_INSERT_GUESTS, {"hotel": hotel_id, "user": by.user, "nights": rows(nights)})


def rows(nights: Iterable[tuple[UUID, RoomNight]]) -> str:
    """Nights with their ids as `asked` in booking.sql reads them."""
    return orjson.dumps([_row(night_id, night) for night_id, night in nights]).decode()


def _row(night_id: UUID, night: RoomNight) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": night_id, "date": night.date, "room_id": night.room_id, "people": night.people,
        "guests": night.guests,
    }  # fmt: skip
    if (plan := night.plan) is not None:
        row |= {
            "global_plan": plan.global_id, "hotel_plan": plan.hotel_id, "plan_name": plan.name,
            "plan_type": plan.plan_type,
        }  # fmt: skip
    if (price := night.price) is not None:
        row |= {
            "price": price.price, "cancel_fee": price.cancel_fee, "tax_type": price.tax_type_id,
            "tax_rate": None if price.tax_rate is None else str(price.tax_rate),
        }  # fmt: skip
    return row
