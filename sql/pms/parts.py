"""Bookings that came to us, and the reservations that they are made of: staff split and merge them.

What a booking is made of is known by its nights (`booking_engine.booking_night`): a night that has once stood in
one of its reservations is its own until it is deleted, wherever staff put it. Bookings and reservations are
(hotel_id, uuid as text) pairs.
"""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from sql.pms.bookings import HELD, PARTS
from sql.queries import fill, load

_QUERIES = load("pms/parts.sql")
_OF = fill(_QUERIES["of"], held=HELD, parts=PARTS)

NOTE = _QUERIES["note"]
"""Notes the nights that bookings are being written with, for the keys of %(hotels)s and %(ids)s."""

Key = tuple[int, str]


class Part(NamedTuple):
    """A reservation in which a booking has nights. whole: all of its nights are the booking's."""

    id: UUID
    whole: bool


async def of(conn: AsyncConnection, hotel_id: int, booking_id: UUID, agent: str) -> list[Part]:
    """The reservations of a booking that came to us, in the order of their ids, as the PMS has them now."""
    wanted = {"hotel": hotel_id, "id": booking_id, "agent": agent}
    return [Part(*row) async for row in await conn.execute(_OF, wanted)]


class Found(NamedTuple):
    """A booking that came to us, and a reservation in which it has, or had, nights.

    home: whether new nights of the reservation are the booking's: it was made with it, or that was split off it.
    """

    hotel_id: int
    booking: str
    reservation: str
    home: bool


async def renew(conn: AsyncConnection, found: Collection[Found], new: Collection[str]) -> None:
    """Note where the nights of these bookings, their documents locked, stand now.

    new: the nights that have come to these reservations, which `reservation_seen` knows by now.
    """
    ordered = sorted({(one.hotel_id, one.booking) for one in found})
    at = sorted(_homes(found).items())
    values: dict[str, Any] = {
        "hotels": [b[0] for b in ordered], "ids": [b[1] for b in ordered],
        "home_hotels": [key[0] for key, _ in at], "homes": [key[1] for key, _ in at],
        "bookings": [booking for _, booking in at], "new": list(new),
    }  # fmt: skip
    await conn.execute(_QUERIES["renew"], values)


def _homes(found: Collection[Found]) -> dict[Key, str]:
    """Whose home each reservation is.

    Two clients may give the same id of their own to bookings in a hotel: then it is the one's that was made with
    it, or else has nights in it.
    """
    held = {(one.hotel_id, one.booking, one.reservation) for one in found if not one.home}
    ranked = sorted(
        (one.booking != one.reservation, (one.hotel_id, one.booking, one.reservation) not in held, one)
        for one in found
        if one.home
    )
    return {(one.hotel_id, one.reservation): one.booking for _, _, one in reversed(ranked)}
