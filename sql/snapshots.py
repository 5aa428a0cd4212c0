"""Everything there is, read page by page for those who cannot go on from where they were."""

from datetime import date
from typing import NamedTuple

from psycopg import AsyncConnection

from sql.delivery import Claim
from sql.feed import Asked
from sql.queries import load

_QUERIES = load("snapshots.sql")
_START = _QUERIES["start"].format(window=load("endpoints.sql")["window"])
_PAGE = _QUERIES["page"]
KINDS = ("hotel", "room_type", "plan", "rates", "availability", "booking")
"""In the order of reading: what others refer to comes first."""


class Start(NamedTuple):
    """position: to follow from, once all is read; check_out_from: bookings that ended before are left out."""

    position: int
    check_out_from: date


class Place(NamedTuple):
    """Where to read on: a kind of KINDS by number, a hotel, and the least id."""

    kind: int = 0
    hotel_id: int = 0
    id: str = ""


async def start(conn: AsyncConnection) -> Start:
    """Begin to read everything."""
    row = await (await conn.execute(_START)).fetchone()
    assert row is not None  # its table has one row
    return Start(*row)


async def page(
    conn: AsyncConnection, asked: Asked, place: Place, *, since: date, limit: int
) -> tuple[list[Claim], Place | None]:
    """Up to `limit` documents as they are now, as if none were known; and the next place, None at the end.

    since: bookings that ended before are left out.
    """
    if KINDS[place.kind] not in asked.kinds:
        return [], _after(place)
    given = {
        "kind": KINDS[place.kind],
        "hotel": place.hotel_id,
        "id": place.id,
        "hotels": None if asked.hotels is None else list(asked.hotels),
        "own": asked.own,
        "start": since,
        "limit": limit,
    }
    rows = await (await conn.execute(_PAGE, given, binary=True)).fetchall()
    claims = [
        Claim(
            kind=KINDS[place.kind],
            hotel_id=hotel_id,
            id=number,
            marked=version,
            acked=0,
            place=0,
            sent=False,
            tries=0,
            version=version,
            born=born,
            body=body,
            committed_at=committed_at,
            days=days,
            sellable=sellable,
            occupied=occupied,
        )
        for hotel_id, number, version, born, body, committed_at, days, sellable, occupied in rows
    ]
    if len(claims) < limit:
        return claims, _after(place)
    # No text lies between a text and itself with the least character after it.
    return claims, Place(place.kind, claims[-1].hotel_id, claims[-1].id + "\x01")


def _after(place: Place) -> Place | None:
    return Place(place.kind + 1) if place.kind + 1 < len(KINDS) else None
