"""Every write of bookings and holds, to be interrupted anywhere and asked for again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from tests.support.daemon import today, until

HOTEL = 1
FAR = 200
"""Days ahead in which the seed has no stays."""
_STAYS = 5
"""Days of a room type that a write has for itself."""

_WRITTEN = """
    with its as (
        select distinct d.reservation_id as id
        from reservation_details d join rooms m on m.hotel_id = d.hotel_id and m.id = d.room_id
        where d.hotel_id = %(hotel)s and m.room_type_id = %(room_type)s
            and d.date >= %(first)s and d.date < %(until)s
    ),
    nights as (select d.* from reservation_details d join its on its.id = d.reservation_id)
    select md5(string_agg(line, '|' order by line))
    from (
        select to_jsonb(r)::text from reservations r join its using (id)
        union all select to_jsonb(n)::text from nights n
        union all select to_jsonb(r)::text from reservation_rates r join nights n on n.id = r.reservation_details_id
        union all
        select to_jsonb(c)::text from reservation_clients c join nights n on n.id = c.reservation_details_id
        union all select to_jsonb(h)::text from booking_engine.hold h join its on its.id = h.reservation_id
        union all
        select l.external_id || l.source from booking_engine.booking_link l join its on its.id = l.reservation_id
        union all select d.version || d.body::text from booking_engine.document d join its on its.id::text = d.id
    ) as written (line)
"""


class Answer(NamedTuple):
    """What was answered, and whether it was an answer that was given before."""

    status: int
    body: Any
    replayed: bool


class Request(NamedTuple):
    """What is asked for."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]

    @property
    def key(self) -> str:
        """Its Idempotency-Key."""
        return self.headers["Idempotency-Key"]


Ask = Callable[[Request], Coroutine[Any, Any, Answer]]


@dataclass
class Site:
    """A room type and days that one write has for itself.

    Attributes:
        ask: as a client of its own.
        room_type: of three rooms.
        number: which of its days.
        guest: who books, like nobody else.
    """

    ask: Ask
    room_type: int
    number: int
    guest: dict[str, str] = field(default_factory=lambda: {"name": f"山田 {uuid4()}"})

    def days(self, arrival: int = 0, nights: int = 2) -> dict[str, str]:
        """A stay."""
        first = today() + timedelta(days=FAR + _STAYS * self.number + arrival)
        return {"check_in": str(first), "check_out": str(first + timedelta(days=nights))}

    def rooms(self, count: int = 2, people: int = 1, plan: str = "1h1") -> list[dict[str, Any]]:
        """Rooms to be booked."""
        return [{"room_type_id": self.room_type, "plan_key": plan, "number_of_people": people}] * count

    async def booked(self, **more: Any) -> dict[str, Any]:
        """A booking that is there."""
        return await self._made(self.booking(**more))

    async def held(self, count: int = 2) -> str:
        """A hold that is there; its id."""
        hold_id: str = (await self._made(self.hold(count)))["hold_id"]
        return hold_id

    def booking(self, **more: Any) -> Request:
        """The request for a booking."""
        stay = {"hotel_id": HOTEL, "external_id": str(uuid4()), "guest": self.guest} | self.days()
        return request("POST", "/bookings", stay | {"rooms": self.rooms()} | more)

    def hold(self, count: int = 2) -> Request:
        """The request for a hold."""
        rooms = [{"room_type_id": self.room_type, "number_of_people": 1}] * count
        return request("POST", "/holds", {"hotel_id": HOTEL, "rooms": rooms} | self.days())

    async def written(self, conn: psycopg.AsyncConnection[Any]) -> str | None:
        """Digest of all that is written of its rooms and days; None without anything."""
        first = today() + timedelta(days=FAR + _STAYS * self.number)
        values = {"room_type": self.room_type, "first": first, "until": first + timedelta(days=_STAYS)}
        row = await (await conn.execute(_WRITTEN, values | {"hotel": HOTEL})).fetchone()
        assert row is not None
        digest: str | None = row[0]
        return digest

    async def _made(self, wanted: Request) -> dict[str, Any]:
        answer = await insist(self.ask, wanted)
        assert answer.status == 201, answer.body
        made: dict[str, Any] = answer.body
        return made


async def insist(ask: Ask, wanted: Request) -> Answer:
    """Ask until it is decided: a busy machine is waited for, and another that is at it still."""
    while (answer := await ask(wanted)).status == 503 or (
        answer.status == 409 and answer.body["code"] == "in_progress"
    ):
        pass
    return answer


def request(method: str, path: str, body: Any = None, **headers: str) -> Request:
    """A write with an Idempotency-Key of its own."""
    return Request(method, path, body, {"Idempotency-Key": str(uuid4())} | headers)


async def _book(site: Site) -> Request:
    return site.booking()


async def _hold(site: Site) -> Request:
    return site.hold()


async def _confirm(site: Site) -> Request:
    return site.booking(hold_id=await site.held())


async def _change(site: Site) -> Request:
    """A night is dropped, one is added, one stays: under another plan, for more people, with others in the room."""
    made = await site.booked()
    rooms = site.rooms(1, 2, "2h") + site.rooms(1)
    rooms[0]["guests"] = [{"name": f"鈴木 {uuid4()}"}]
    return _put(made, site.days(arrival=1) | {"rooms": rooms})


async def _enlarge(site: Site) -> Request:
    """Another room is that of a hold."""
    made = await site.booked(rooms=site.rooms(1))
    return _put(made, site.days() | {"rooms": site.rooms(), "hold_id": await site.held(1)})


async def _cancel(site: Site) -> Request:
    return request("DELETE", f"/bookings/{(await site.booked())['booking_id']}")


async def _release(site: Site) -> Request:
    return request("DELETE", f"/holds/{await site.held()}")


def _put(made: dict[str, Any], body: dict[str, Any]) -> Request:
    return request("PUT", f"/bookings/{made['booking_id']}", body, **{"If-Match": f'"{made["version"]}"'})


class Write(NamedTuple):
    """A write: makes what it finds there, and gives its request; the status of what is done."""

    prepare: Callable[[Site], Awaitable[Request]]
    status: int


WRITES = {
    "book": Write(_book, 201),
    "hold": Write(_hold, 201),
    "book a hold": Write(_confirm, 201),
    "change": Write(_change, 200),
    "take a hold's room": Write(_enlarge, 200),
    "cancel": Write(_cancel, 200),
    "release a hold": Write(_release, 204),
}


async def room_types(conn: psycopg.AsyncConnection[Any], count: int) -> list[int]:
    """So many new room types of three rooms each."""
    await conn.execute("select set_config('my_app.user_id', '1', false)")
    rows = await conn.execute(
        "with kind as (insert into room_types (hotel_id, name, created_by, updated_by)"
        " select %s, 'T' || n, 1, 1 from generate_series(1, %s) n returning id, hotel_id),"
        " room as (insert into rooms (hotel_id, room_type_id, room_number, capacity, created_by, updated_by)"
        " select k.hotel_id, k.id, k.id || '-' || n, 3, 1, 1 from kind k cross join generate_series(1, 3) n)"
        " select id from kind order by id",
        [HOTEL, count],
    )
    return [found async for (found,) in rows]


async def at_rest(conn: psycopg.AsyncConnection[Any], role: str) -> None:
    """Wait until no session of the API is in a transaction: what was interrupted is over then."""

    async def nobody() -> bool:
        rows = await conn.execute(
            "select from pg_stat_activity where usename = %s and xact_start is not null", [role]
        )
        return rows.rowcount == 0

    assert await until(nobody, 30)


async def check(
    site: Site, write: Write, wanted: Request, conn: psycopg.AsyncConnection[Any], *, done: bool
) -> None:
    """Ask again for what was interrupted: it is answered as it was done, or done now, and never once more."""
    between = await site.written(conn)
    again = await insist(site.ask, wanted)
    # Of what takes long the API itself may have asked again, too.
    assert again.status == write.status, again.body
    assert again.replayed or not done
    after = await site.written(conn)
    assert (after == between) == done
    assert await insist(site.ask, wanted) == again._replace(replayed=True)
    assert await site.written(conn) == after


async def sound(conn: psycopg.AsyncConnection[Any]) -> None:
    """Nobody was written twice, no room given twice, and every booking went through in the end."""
    for twice in (
        "select name_kanji from clients where name_kanji ~ '^(山田|鈴木) .{36}$' group by 1 having count(*) > 1",
        "select room_id, date from reservation_details where cancelled is null and room_id is not null"
        " group by hotel_id, room_id, date having count(*) > 1",
        "select status, error from booking_engine.sync_status where status <> 'synced' or error is not null",
    ):
        assert await (await conn.execute(twice.encode())).fetchall() == []
