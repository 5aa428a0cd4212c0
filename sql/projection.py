"""From dirty keys to documents: the statements of one projector transaction, as typed functions.

Every function runs in the caller's transaction. Reservations and bookings are (hotel_id, uuid as text) pairs,
nights (hotel_id, "YYYY-MM-DD") pairs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from psycopg import AsyncConnection, AsyncCursor
from psycopg.sql import SQL, Composable

from sql.literals import array
from sql.pms import parts
from sql.pms.bookings import ELIGIBLE, FRESH, FRESH_ALONE, POSITIONS, Keyed
from sql.pms.prices import DOCUMENT as RATES
from sql.queries import fill, load

ContentKind = Literal["hotel", "room_type", "availability", "plan", "rates"]
DocumentKind = Literal["hotel", "room_type", "availability", "plan", "rates", "booking"]
CONTENT: tuple[ContentKind, ...] = ("hotel", "room_type", "availability", "plan")

_OURS = load("projection.sql")
_BOOKINGS = load("pms/bookings.sql")
_CATALOGUE = load("pms/content.sql")
_CONTENT: Mapping[ContentKind, Composable] = {kind: _CATALOGUE[kind] for kind in CONTENT} | {"rates": RATES}


def _compose(name: str, **parts: Composable) -> SQL:
    return fill(_OURS[name], **parts)


def _keyed(name: str, place: str, query: Keyed, **parts: Composable) -> Keyed:
    return Keyed(*(_compose(name, **{place: one}, **parts) for one in query))


_RENEW_SEEN = _keyed("renew_seen", "positions", POSITIONS, digests=_BOOKINGS["digests"])
_LOCK_BOOKINGS = _keyed("lock_bookings", "eligible", ELIGIBLE)
# Every plan has rates, if only to say that no night is sold.
_STUB_CONTENT = {
    kind: _compose("stub_content", fresh=_CATALOGUE["plan" if kind == "rates" else kind]) for kind in _CONTENT
}
_FRESH: dict[DocumentKind, Keyed] = {"booking": FRESH}
_FRESH |= {kind: Keyed(*[_compose("of_keys", content=fresh)] * 2) for kind, fresh in _CONTENT.items()}
_IN_STEP = _compose("in_step", fresh=FRESH.one)
MARKS = fill(_OURS["marks"], place=_OURS["place"])
"""What is done with documents, `moved`."""
MARKS_OF_OURS = fill(SQL("{marks},\n{listed}"), marks=MARKS, listed=_OURS["listed"])
"""What is done with documents of bookings, `moved`, that may have come to us."""
_WRITE = {
    kind: _keyed("write", "fresh", fresh, marks=MARKS_OF_OURS if kind == "booking" else MARKS)
    for kind, fresh in _FRESH.items()
}
_WRITE_ALONE = _keyed("write", "fresh", FRESH_ALONE, marks=MARKS)
_NIGHTS = Keyed(
    *(fill(load("pms/nights.sql")["fresh"], hotel=SQL(hotel)) for hotel in ("wanted.hotel_id", "%(hotel)s::int"))
)
_WRITE_NIGHTS = _keyed("write_nights", "fresh", _NIGHTS, marks=MARKS)


@dataclass(frozen=True, slots=True)
class Frame:
    """What holds for all documents of one projector transaction.

    today: the hotel-local day the horizon stands on; agent: the channel name of our own bookings in the PMS;
    committed_at: when the PMS committed the newest change, None for work that is not in the WAL.
    """

    today: date
    agent: str
    committed_at: datetime | None = None


class Moved(NamedTuple):
    """A reservation that is computed from other rows than before.

    nights: its night ids now; old_refs: the ids it was computed from before; old_dates: its nights' dates then.
    """

    hotel_id: int
    nights: list[str]
    old_refs: list[str]
    old_dates: list[str]


class Renewed(NamedTuple):
    """What reservations are computed from now, their documents locked.

    keys: their documents, and those of the bookings that have nights in them, all locked; moved: for which that
    differs; renamed: clients who differ from what documents of others may show; ours: the bookings that came to us.
    """

    keys: list[tuple[int, str]]
    moved: list[Moved]
    renamed: set[str]
    ours: set[tuple[int, str]]


async def lock_endpoints(conn: AsyncConnection) -> None:
    """Make this transaction see every endpoint whose first sync does not see its documents."""
    await conn.execute(_OURS["lock_endpoints"])


async def changed_clients(conn: AsyncConnection, digests: Mapping[str, str]) -> list[str]:
    """Those clients that a document shows and whose digest is another now."""
    rows = await conn.execute(_OURS["changed_clients"], {"ids": array(digests), "digests": list(digests.values())})
    return [client_id async for (client_id,) in rows]


async def owners(conn: AsyncConnection, ids: Collection[str]) -> set[tuple[int, str]]:
    """The reservations last computed from any of these nights, guests, add-ons or clients."""
    if not ids:
        return set()
    rows = await conn.execute(_OURS["owners"], {"ids": array(ids)})
    return {(hotel_id, reservation_id) async for hotel_id, reservation_id in rows}


async def in_rooms(conn: AsyncConnection, rooms: Collection[tuple[int, int]], frame: Frame) -> set[tuple[int, str]]:
    """The reservations within the window that stay in these rooms."""
    wanted = {"hotels": array(r[0] for r in rooms), "ids": array(r[1] for r in rooms), "today": frame.today}
    rows = await conn.execute(_BOOKINGS["in_rooms"], wanted)
    return {(hotel_id, reservation_id) async for hotel_id, reservation_id in rows}


async def lock_bookings(
    conn: AsyncConnection, reservations: Collection[tuple[int, str]], frame: Frame
) -> list[tuple[int, str]]:
    """Make sure that these reservations' documents exist, and lock them in key order; returns their keys."""
    return await (await _lock_bookings(conn, reservations, frame)).fetchall()


async def _lock_bookings(
    conn: AsyncConnection, reservations: Collection[tuple[int, str]], frame: Frame
) -> AsyncCursor[Any]:
    return await conn.execute(_LOCK_BOOKINGS.of(reservations), _columns(reservations) | {"today": frame.today})


async def renew_bookings(conn: AsyncConnection, reservations: Collection[tuple[int, str]], frame: Frame) -> Renewed:
    """Lock these reservations' documents as `lock_bookings` does, then note what they are computed from now."""
    locked = await _lock_bookings(conn, reservations, frame)
    renewed = await conn.execute(_RENEW_SEEN.of(reservations), _columns(reservations) | {"agent": frame.agent})
    keys, rows = await locked.fetchall(), await renewed.fetchall()
    moved = [Moved(*row) for client, booking, _, _, *row in rows if client is None and booking is None]
    found = [parts.Found(hotel_id, *row) for _, *row, hotel_id, _, _, _ in rows if row[0]]
    ours = {(one.hotel_id, one.booking) for one in found}
    if others := ours.difference(keys):
        keys += await lock_bookings(conn, others, frame)
    if ours:
        await parts.renew(conn, found, {night for one in moved for night in set(one.nights) - set(one.old_refs)})
    return Renewed(keys, moved, {client for client, *_ in rows if client}, ours)


async def lock_content(conn: AsyncConnection, kind: ContentKind, hotels: Collection[int]) -> list[tuple[int, str]]:
    """Make sure that the hotels' documents of this kind exist, and lock them in key order; returns their keys."""
    wanted = {"kind": kind, "hotels": sorted(hotels)}
    await conn.execute(_STUB_CONTENT[kind], wanted)
    return await (await conn.execute(_OURS["lock_content"], wanted)).fetchall()


async def booking_in_step(conn: AsyncConnection, key: tuple[int, str], frame: Frame) -> int | None:
    """A booking's version; None where the PMS has it differently by now. Locks and writes nothing."""
    row = await (await conn.execute(_IN_STEP, _columns([key]) | {"agent": frame.agent})).fetchone()
    return row[0] if row else None


async def write(
    conn: AsyncConnection, kind: DocumentKind, keys: Collection[tuple[int, str]], frame: Frame
) -> AsyncCursor[Any]:
    """Recompute the locked documents; `counted` tells how many differed and got a new version."""
    return await _write(conn, _WRITE[kind], kind, keys, frame)


async def write_alone(conn: AsyncConnection, keys: Collection[tuple[int, str]], frame: Frame) -> AsyncCursor[Any]:
    """Recompute the locked documents of bookings, of which none came to us, as `write` does; it costs less."""
    return await _write(conn, _WRITE_ALONE, "booking", keys, frame)


async def _write(
    conn: AsyncConnection,
    query: Keyed,
    kind: DocumentKind,
    keys: Collection[tuple[int, str]],
    frame: Frame,
) -> AsyncCursor[Any]:
    extra = {"kind": kind, "agent": frame.agent, "committed_at": frame.committed_at}
    return await conn.execute(query.of(keys), _columns(keys) | extra)


async def lock_booking(conn: AsyncConnection, key: tuple[int, str], frame: Frame) -> None:
    """Make sure that a reservation's document exists, if it is to have one, and lock it; in a pipeline unwaited."""
    await _lock_bookings(conn, [key], frame)


async def write_nights(
    conn: AsyncConnection, nights: Collection[tuple[int, str]], frame: Frame
) -> AsyncCursor[Any]:
    """Recompute these hotels' nights for every room type; `counted` tells how many availability documents moved."""
    extra = {"today": frame.today, "committed_at": frame.committed_at}
    return await conn.execute(_WRITE_NIGHTS.of(nights), _columns(nights, "dates") | extra)


async def counted(written: Collection[AsyncCursor[Any]]) -> int:
    """How many documents these writes changed; in a pipeline the first to be asked waits for all."""
    rows = [await cursor.fetchone() for cursor in written]
    return sum(row[0] for row in rows if row)


async def forget_room_types(conn: AsyncConnection, hotels: Collection[int]) -> None:
    """Drop the nights of these hotels' room types that are no more."""
    await conn.execute(_OURS["forget_room_types"], {"hotels": sorted(hotels)})


def _columns(pairs: Collection[tuple[int, str]], name: str = "ids") -> dict[str, Any]:
    ordered = sorted(pairs)
    return {"hotels": array(p[0] for p in ordered), name: array(p[1] for p in ordered), "hotel": ordered[0][0]}
