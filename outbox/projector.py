"""The projector: recomputes the documents of dirty keys, in one transaction of the caller's.

The order is what keeps it right. Booking documents are locked before they are computed, in a new statement. What a
reservation is computed from is read before availability is, so that a deletion that slips in between is still seen.
A reservation found through an id that another one lost or gained is recomputed too, until none is left: under
REPLICA IDENTITY DEFAULT the change stream does not name it. So is every reservation of a client who is found to
differ: once that is noted, the client's own change makes nothing dirty any more.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, AsyncCursor

from outbox import conflicts
from outbox.dirty import Dirty
from sql import projection, scopes
from sql.projection import Frame

_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Projected:
    """How many documents got a new version, by what they tell."""

    bookings: int
    content: int
    availability: int

    @property
    def total(self) -> int:
        """All documents that got a new version."""
        return self.bookings + self.content + self.availability

    def counts(self) -> dict[str, int]:
        """The numbers by name: booking, content (hotels, room types, plans, rates), availability."""
        return {"booking": self.bookings, "content": self.content, "availability": self.availability}


async def _begun() -> None:
    """There is nothing to wait for."""


async def project(
    conn: AsyncConnection, dirty: Dirty, frame: Frame, begun: Callable[[], Awaitable[None]] = _begun
) -> Projected:
    """Bring the documents of all dirty keys up to what the PMS says now.

    begun: asked before anything is written of documents; in a pipeline it finds the answer to what was said before.
    """
    await projection.lock_endpoints(conn)
    nights, done = set(dirty.nights), set[tuple[int, str]]()
    keys, ours = await _renew_bookings(conn, dirty, nights, done, frame)
    await begun()
    bookings = await _write_bookings(conn, keys, ours, frame)
    content = await _project_content(conn, dirty, frame) if dirty.hotels or dirty.rates else []
    availability = [await projection.write_nights(conn, nights, frame)] if nights else []
    for scope in sorted(dirty.scopes, key=str):
        await scopes.add(conn, scope.kind, scope.hotel_id, "the change stream")
    bookings += await conflicts.watch(conn, nights, done, frame)
    # Asked last, so that in a pipeline all of it is sent before the first answer is waited for.
    return Projected(*[await projection.counted(written) for written in (bookings, content, availability)])


async def _renew_bookings(
    conn: AsyncConnection,
    dirty: Dirty,
    nights: set[tuple[int, str]],
    done: set[tuple[int, str]],
    frame: Frame,
) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """Note what the reservations behind all dirty ids are computed from, and lock the documents that show them.

    They are added to `done`, nights that they left to `nights`. Returns the documents' keys, and the bookings that
    came to us among them: each is found by any reservation that has, or had, nights of it.
    """
    todo = dirty.reservations | await _named_indirectly(conn, dirty, frame)
    gone = set(dirty.gone)
    keys, ours = set[tuple[int, str]](), set[tuple[int, str]]()
    while todo or gone:
        found = set[tuple[int, str]]()
        for page in _pages(todo):
            now = await projection.renew_bookings(conn, page, frame)
            keys |= set(now.keys)
            ours |= now.ours
            nights |= {(m.hotel_id, night) for m in now.moved for night in m.old_dates}
            gone -= {ref for m in now.moved for ref in m.old_refs}
            appeared = {night for m in now.moved for night in set(m.nights) - set(m.old_refs)} - dirty.inserted
            found |= await projection.owners(conn, appeared | now.renamed)
        done |= todo
        todo = (found | await projection.owners(conn, gone)) - done
        gone = set()
    done |= ours
    return keys, ours


async def _write_bookings(
    conn: AsyncConnection, keys: set[tuple[int, str]], ours: set[tuple[int, str]], frame: Frame
) -> list[AsyncCursor[Any]]:
    """Recompute these bookings, their documents locked."""
    written = [await projection.write_alone(conn, alone, frame)] if (alone := keys - ours) else []
    return written + ([await projection.write(conn, "booking", made, frame)] if (made := keys & ours) else [])


def _pages(reservations: Collection[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """In key order, as they are locked; no more at once than whose night ids one can hold."""
    ordered = sorted(reservations)
    for first in range(0, len(ordered), _PAGE):
        yield ordered[first : first + _PAGE]


async def _named_indirectly(conn: AsyncConnection, dirty: Dirty, frame: Frame) -> set[tuple[int, str]]:
    """The reservations of changed guests, add-ons, clients and rooms."""
    ids = dirty.touched - dirty.inserted
    if dirty.clients:
        ids |= set(await projection.changed_clients(conn, dirty.clients))
    found = await projection.owners(conn, ids)
    if dirty.rooms:
        found |= await projection.in_rooms(conn, dirty.rooms, frame)
    return found


async def _project_content(conn: AsyncConnection, dirty: Dirty, frame: Frame) -> list[AsyncCursor[Any]]:
    written = []
    kinds = [(kind, dirty.hotels) for kind in projection.CONTENT] if dirty.hotels else []
    for kind, hotels in [*kinds, ("rates", dirty.rates)]:
        keys = await projection.lock_content(conn, kind, hotels) if hotels else []
        written += [await projection.write(conn, kind, keys, frame)] if keys else []
    await projection.forget_room_types(conn, dirty.hotels)
    return written
