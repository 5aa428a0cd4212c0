"""Finished calendars, kept as bytes for as long as the versions of their room types stand.

A look at those versions serves every request that comes within 25 ms of its beginning, and the next one begins
after 5 ms, so that any number of requests costs the database a few small queries and hardly anybody waits for one.
Nobody has to tell this cache of changes, and it answers, as stale as it says, while the database is away.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import orjson

from api.freshness import fresh, stamped
from api.lookup import AwayError, Lookup
from api.request.etags import digest
from outbox.delivery.compose import ranges
from sql import calendar
from sql.calendar import Standing

AGE, RENEW = 0.025, 0.005
_WARM = 1.0
_MOST_BYTES = 32 << 20


class Wanted(NamedTuple):
    """A calendar: the nights of [first, until) of one room type, or (None) of all."""

    hotel_id: int
    first: date
    until: date
    room_type_id: int | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """An answer's body, and a tag that changes whenever more than `as_of` does; room_types: how many are on it."""

    body: bytes
    etag: str
    room_types: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look found of a hotel. began: monotonic seconds."""

    began: float
    standing: Standing
    versions: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class _Page:
    """A finished calendar but for its freshness."""

    began: float
    versions: Mapping[int, int]
    body: bytes
    digest: str


class Calendars:
    """Reads calendars from the documents.

    Args:
        lookup: by which the database is asked.
        slot: whose checkpoint says how fresh the documents are.
    """

    def __init__(self, lookup: Lookup, slot: str) -> None:
        self._lookup = lookup
        self._slot = slot
        self._asked: dict[int, float] = {}
        self._seen: dict[int, _Seen] = {}
        self._looking: asyncio.Task[None] | None = None
        self._pages: OrderedDict[Wanted, _Page] = OrderedDict()
        self._bytes = 0
        self._making: dict[Wanted, asyncio.Task[_Page]] = {}

    async def read(self, wanted: Wanted) -> Calendar:
        """A calendar that is at most 25 ms older than the documents.

        Raises:
            AwayError: the database cannot be asked, and this was not asked for before.
        """
        now = time.monotonic()
        since = now - AGE
        seen = self._seen.get(wanted.hotel_id)
        self._asked[wanted.hotel_id] = now
        if seen is None or seen.began < since:
            seen = await self._look(wanted.hotel_id, since)
        elif seen.began < now - RENEW:
            self._next_look()
        page = self._pages.get(wanted)
        if page is None or (page.began < since and page.versions != _of(seen.versions, wanted.room_type_id)):
            page = await self._page(wanted, since)
        state = fresh(seen.standing, wanted.hotel_id, time.monotonic() - seen.began)
        return Calendar(stamped(state, page.body), f"{page.digest}{'-stale' * state.stale}", len(page.versions))

    async def _look(self, hotel_id: int, since: float) -> _Seen:
        """The result of a look that began after `since`; while the database is away, of the last look."""
        while True:
            seen = self._seen.get(hotel_id)
            if seen is not None and (seen.began >= since or self._lookup.away):
                return seen
            # One who gives up must not end the look of the others.
            try:
                await asyncio.shield(self._next_look())
            except AwayError:
                if seen is None:
                    raise

    def _next_look(self) -> asyncio.Task[None]:
        """The look that is under way, or a new one."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_at_all())
            self._looking.add_done_callback(_retrieve)
        return self._looking

    async def _look_at_all(self) -> None:
        """Look at every hotel that was asked for within the last second."""
        began = time.monotonic()
        self._asked = {hotel: at for hotel, at in self._asked.items() if at > began - _WARM}
        try:
            look = await self._lookup.ask(lambda conn: calendar.look(conn, self._slot, self._asked))
        finally:
            self._looking = None
        for hotel, versions in look.versions.items():
            self._seen[hotel] = _Seen(began, look.standing, versions)

    async def _page(self, wanted: Wanted, since: float) -> _Page:
        """A page that was read after `since`; while the database is away, the last one read."""
        kept = self._pages.get(wanted)
        if kept is not None and self._lookup.away:
            return kept
        making = self._making.get(wanted)
        if making is None:
            making = self._making[wanted] = asyncio.create_task(self._make(wanted))
            making.add_done_callback(_retrieve)
        page = await asyncio.shield(making)
        return page if page.began >= since else await self._page(wanted, since)

    async def _make(self, wanted: Wanted) -> _Page:
        began = time.monotonic()
        hotel_id, first, until, room_type_id = wanted
        try:
            nights = await self._lookup.ask(
                lambda conn: calendar.nights(conn, hotel_id, first, until, room_type_id)
            )
        finally:
            del self._making[wanted]
        said = [
            {"room_type_id": n.room_type_id, "version": n.version, "ranges": ranges(n.days, n.sellable, n.occupied)}
            for n in nights
        ]
        body = orjson.dumps({"hotel_id": hotel_id, "from": first, "to": until, "room_types": said})
        page = _Page(began, {n.room_type_id: n.version for n in nights}, body, digest(body))
        self._keep(wanted, page)
        return page

    def _keep(self, wanted: Wanted, page: _Page) -> None:
        """Keep a page, and drop the oldest ones while all of them together are too large."""
        old = self._pages.pop(wanted, None)
        self._bytes += len(page.body) - (len(old.body) if old else 0)
        self._pages[wanted] = page
        while self._bytes > _MOST_BYTES:
            self._bytes -= len(self._pages.popitem(last=False)[1].body)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Take an error that nobody may be waiting for any more."""
    if not task.cancelled():
        task.exception()


def _of(versions: Mapping[int, int], room_type_id: int | None) -> Mapping[int, int]:
    if room_type_id is None:
        return versions
    return {room_type_id: versions[room_type_id]} if room_type_id in versions else {}
