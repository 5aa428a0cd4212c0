"""Durable work, a page at a time: a page is projected and its progress noted in one transaction of the caller's."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from psycopg import AsyncConnection

from outbox import restored
from outbox.dirty import CHANGED, Dirty
from outbox.projector import project
from sql import conflicts, scopes
from sql.projection import Frame
from sql.scopes import Work

NIGHTS_A_PAGE = 90
BOOKINGS_A_PAGE = 100
CLIENTS_A_PAGE = 500
_AHEAD = 730


async def project_page(conn: AsyncConnection, frame: Frame) -> Work | None:
    """Do the next page of the most urgent work; returns the work it belonged to, None when none is left."""
    work = await scopes.take(conn)
    if work is None:
        return None
    if work.kind == "client":
        await _clients(conn, work, frame)
    elif work.kind == "versions":
        await restored.page(conn, work)
    elif work.hotel_id is None:
        await scopes.expand(conn, work)
    else:
        await _PAGES[work.kind](conn, work, work.hotel_id, frame)
    return work


async def _content(conn: AsyncConnection, work: Work, hotel_id: int, frame: Frame) -> None:
    await project(conn, Dirty(hotels={hotel_id}, rates={hotel_id}), frame)
    await scopes.finish(conn, work)


async def _rates(conn: AsyncConnection, work: Work, hotel_id: int, frame: Frame) -> None:
    await project(conn, Dirty(rates={hotel_id}), frame)
    await scopes.finish(conn, work)


async def _availability(conn: AsyncConnection, work: Work, hotel_id: int, frame: Frame) -> None:
    first = date.fromisoformat(work.cursor) if work.cursor else frame.today - timedelta(days=1)
    last = frame.today + timedelta(days=_AHEAD)
    nights = [first + timedelta(days=n) for n in range(NIGHTS_A_PAGE)]
    nights = [night for night in nights if night <= last]
    await project(conn, Dirty(nights={(hotel_id, night.isoformat()) for night in nights}), frame)
    following = first + timedelta(days=NIGHTS_A_PAGE)
    if following > last:
        await scopes.finish(conn, work)
    else:
        await scopes.step(conn, work, cursor=following.isoformat(), done=len(nights), total=_AHEAD + 2)


async def _booking(conn: AsyncConnection, work: Work, hotel_id: int, frame: Frame) -> None:
    total = work.total
    if total is None:
        total = await scopes.count_bookings(conn, hotel_id, frame.today)
    page = await scopes.booking_page(conn, hotel_id, frame.today, work.cursor, BOOKINGS_A_PAGE)
    await project(conn, Dirty(reservations={(hotel_id, booking) for booking in page}), frame)
    if len(page) < BOOKINGS_A_PAGE:
        # Until a stay was read here, a change that took it from a night did not name the night: look at all again.
        await scopes.add(conn, "availability", hotel_id, work.reason)
        await scopes.finish(conn, work)
    else:
        await scopes.step(conn, work, cursor=page[-1], done=len(page), total=total)


async def _horizon(conn: AsyncConnection, work: Work, hotel_id: int, frame: Frame) -> None:
    await scopes.prune(conn, hotel_id, frame.today)
    await conflicts.prune(conn, hotel_id, frame.today)
    nights = await scopes.missing_nights(conn, hotel_id, frame.today)
    await project(conn, Dirty(nights={(hotel_id, night) for night in nights}), frame)
    await scopes.finish(conn, work)


async def _clients(conn: AsyncConnection, work: Work, frame: Frame) -> None:
    total = work.total
    if total is None:
        total = await scopes.count_clients(conn)
    page = await scopes.client_page(conn, work.cursor, CLIENTS_A_PAGE)
    await project(conn, Dirty(clients={client_id: CHANGED for client_id, differs in page if differs}), frame)
    if len(page) < CLIENTS_A_PAGE:
        await scopes.finish(conn, work)
    else:
        await scopes.step(conn, work, cursor=page[-1][0], done=len(page), total=total)


_PAGES: dict[str, Callable[[AsyncConnection, Work, int, Frame], Awaitable[None]]] = {
    "content": _content,
    "rates": _rates,
    "availability": _availability,
    "booking": _booking,
    "horizon": _horizon,
}
