"""Durable work that is not in the WAL: resyncs, midnight, TRUNCATE. Lists it, cuts it into pages, counts it."""

from dataclasses import dataclass
from datetime import date

from psycopg import AsyncConnection

from sql.queries import load

_QUERIES = load("scopes.sql")
_BOOKINGS = load("pms/bookings.sql")
_EXPAND = _QUERIES["expand"].format(hotels=load("pms/tables.sql")["hotels"])
_CLIENT_PAGE = _QUERIES["client_page"].format(digests=_BOOKINGS["digests"])
_BOOKING_PAGE = _QUERIES["booking_page"].format(page=_BOOKINGS["page"])


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of durable work: all keys of a kind, of one hotel or (None) of every hotel.

    cursor: the last key done; done and total: keys, total None until its first page has counted them.
    """

    id: int
    kind: str
    hotel_id: int | None
    reason: str
    cursor: str | None
    done: int
    total: int | None


async def add(conn: AsyncConnection, kind: str, hotel_id: int | None, reason: str) -> None:
    """Put work on the list; work that is under way begins anew."""
    await conn.execute(_QUERIES["add"], {"kind": kind, "hotel": hotel_id, "reason": reason})


async def add_resync(conn: AsyncConnection, hotel_id: int | None, reason: str) -> None:
    """Put everything of a hotel, or of every hotel, on the list."""
    for kind in ("content", "availability", "booking"):
        await add(conn, kind, hotel_id, reason)


async def any_left(conn: AsyncConnection) -> bool:
    """Whether there is work on the list."""
    row = await (await conn.execute(_QUERIES["any"])).fetchone()
    return bool(row and row[0])


async def listed(conn: AsyncConnection) -> list[Work]:
    """All work on the list, oldest first."""
    return [Work(*row) async for row in await conn.execute(_QUERIES["list"])]


async def take(conn: AsyncConnection) -> Work | None:
    """Lock the most urgent work for this transaction: what engines need before the rest, availability early."""
    row = await (await conn.execute(_QUERIES["next"])).fetchone()
    return Work(*row) if row else None


async def expand(conn: AsyncConnection, work: Work) -> None:
    """Replace work on every hotel by work on each."""
    await conn.execute(_EXPAND, {"kind": work.kind, "reason": work.reason})
    await finish(conn, work)


async def step(conn: AsyncConnection, work: Work, *, cursor: str, done: int, total: int | None) -> None:
    """Note that the keys up to `cursor` are done."""
    await conn.execute(_QUERIES["step"], {"id": work.id, "cursor": cursor, "done": done, "total": total})


async def finish(conn: AsyncConnection, work: Work) -> None:
    """Take work off the list, with its last page."""
    await conn.execute(_QUERIES["finish"], {"id": work.id})


async def booking_page(
    conn: AsyncConnection, hotel_id: int, today: date, cursor: str | None, limit: int
) -> list[str]:
    """The next reservations of a hotel, those of the PMS and those that we know, in id order after `cursor`."""
    values = {"hotel": hotel_id, "today": today, "cursor": cursor, "limit": limit}
    return [reservation_id async for (reservation_id,) in await conn.execute(_BOOKING_PAGE, values)]


async def count_bookings(conn: AsyncConnection, hotel_id: int, today: date) -> int:
    """How many reservations of a hotel lie in the window."""
    cursor = await conn.execute(_BOOKINGS["count"], {"hotel": hotel_id, "today": today})
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def client_page(conn: AsyncConnection, cursor: str | None, limit: int) -> list[tuple[str, bool]]:
    """The next clients that documents show, in id order after `cursor`, and whether they are others now."""
    return await (await conn.execute(_CLIENT_PAGE, {"cursor": cursor, "limit": limit})).fetchall()


async def count_clients(conn: AsyncConnection) -> int:
    """How many clients documents show."""
    row = await (await conn.execute(_QUERIES["count_clients"])).fetchone()
    return int(row[0]) if row else 0


async def missing_nights(conn: AsyncConnection, hotel_id: int, today: date) -> list[str]:
    """The nights of the horizon that the hotel's availability lacks, as "YYYY-MM-DD"."""
    values = {"hotel": hotel_id, "today": today}
    return [night async for (night,) in await conn.execute(_QUERIES["missing_nights"], values)]


async def prune(conn: AsyncConnection, hotel_id: int, today: date) -> None:
    """Drop what has left the horizon and the window; no endpoint hears of it."""
    for name in ("prune_nights", "prune_documents", "prune_seen", "prune_parts"):
        await conn.execute(_QUERIES[name], {"hotel": hotel_id, "today": today})
