"""Both sides at work on the same bookings: the engine by the API, the hotels' staff at the PMS."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import psycopg
import pytest

from deploy.pms.simulator import Simulator
from tests.support.daemon import Roomwire, today
from tests.support.mirror import Mirror
from tests.support.mirror.process import MirrorProcess
from tests.support.truth import Document, truth

LONG = pytest.param(1_500, marks=[pytest.mark.chaos, pytest.mark.timeout(900)], id="1500")
WORKERS = 6
STAFF = {
    "change_status": 6,
    "cancel_one_night": 2,
    "change_room": 5,
    "move_dates": 4,
    "change_length": 4,
    "drag_one_room": 4,
    "split_rooms": 4,
    "split_nights": 4,
    "merge": 4,
    "edit_details": 3,
    "plan_and_price": 2,
    "delete_reservation": 1,
    "outside_modification": 3,
    "outside_cancellation": 3,
    "staff_hold": 4,
    "make_employee_stay": 0.3,
}
"""What staff do to bookings, most of the time to those that came through the API."""
EXPECTED = {
    "POST": {201, 409},
    "PUT": {200, 404, 409, 412},
    "DELETE": {200, 404, 409, 412},
}
"""Answers to a write; 503 is asked again."""


LEFT = """
    select distinct made.changes ->> 'reservation_id'
    from logs_reservation made
    join reservation_details d on d.id::text = made.record_id
    join reservations r on r.hotel_id = d.hotel_id and r.id = d.reservation_id
    where made.action = 'INSERT' and made.table_name like 'reservation_details%'
        and made.changes ->> 'created_by' = '2' and r.status <> 'block' and r.type <> 'employee'
"""
"""The bookings of which a night is left that the API has written."""


@dataclass
class Guest:
    """The engine's knowledge of one booking.

    Attributes:
        external_id: the engine's own id.
        id: the booking's.
        version: the newest one that it was answered.
    """

    external_id: str
    id: str
    version: int


@dataclass
class Engine:
    """A booking engine that makes, changes and cancels bookings at random.

    Attributes:
        made: every booking that it was told is made.
        answers: how often it was answered what, by method, status and code.
    """

    url: str
    key: str
    rng: Random
    made: list[Guest] = field(default_factory=list)
    answers: Counter[tuple[str, int, str | None]] = field(default_factory=Counter)

    async def work(self, writes: int) -> None:
        """Do so many writes, several at a time."""
        numbers = iter(range(writes))
        headers = {"Authorization": f"Bearer {self.key}"}
        async with aiohttp.ClientSession(headers=headers) as http, asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._worker(http, numbers))

    async def _worker(self, http: aiohttp.ClientSession, numbers: Iterable[int]) -> None:
        for _ in numbers:
            known = self.rng.choice(self.made) if self.made else None
            if known is None or self.rng.random() < 0.4:
                await self._book(http)
            elif self.rng.random() < 0.7:
                await self._change(http, known, self._stay() if self.rng.random() < 0.8 else None)
            else:
                await self._see(http, known)

    def _stay(self) -> dict[str, Any]:
        check_in = today() + timedelta(days=self.rng.randint(1, 40))
        room = {"room_type_id": self.rng.choice((1, 2)), "plan_key": "1h1", "number_of_people": 1}
        return {
            "check_in": str(check_in),
            "check_out": str(check_in + timedelta(days=self.rng.randint(1, 4))),
            "rooms": [room] * self.rng.choice((1, 1, 2, 3)),
        }

    async def _book(self, http: aiohttp.ClientSession) -> None:
        external_id = f"E-{uuid4()}"
        # Few people, so that staff find bookings of one client to merge.
        guest = {"name": f"山田 花子{self.rng.randint(1, 9)}", "email": f"g{self.rng.randint(1, 9)}@example.jp"}
        body = self._stay() | {"hotel_id": 1, "external_id": external_id, "guest": guest}
        status, answer = await self._write(http, "POST", "/bookings", body, {})
        if status == 201:
            self.made.append(Guest(external_id, answer["booking_id"], answer["version"]))

    async def _change(self, http: aiohttp.ClientSession, known: Guest, body: dict[str, Any] | None) -> None:
        """Change a booking, or (None) cancel it, as it was last seen."""
        seen = {"If-Match": f'"{known.version}"'}
        method = "PUT" if body else "DELETE"
        status, answer = await self._write(http, method, f"/bookings/{known.id}", body, seen)
        if status == 200:
            known.version = answer["version"]
        elif status == 412:
            await self._see(http, known)

    async def _see(self, http: aiohttp.ClientSession, known: Guest) -> None:
        async with http.get(f"{self.url}/bookings/{known.id}") as answer:
            assert answer.status in {200, 404}, await answer.text()
            if answer.status == 200:
                known.version = (await answer.json())["version"]

    async def _write(
        self,
        http: aiohttp.ClientSession,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        headers: dict[str, str],
    ) -> tuple[int, dict[str, Any]]:
        """The final answer to a write; one that was not to be had yet is asked for again."""
        headers |= {"Idempotency-Key": str(uuid4())}
        while True:
            async with http.request(method, self.url + path, json=body, headers=headers) as answer:
                said = await answer.json()
            self.answers[method, answer.status, said.get("code")] += 1
            if answer.status != 503:
                assert answer.status in EXPECTED[method], said
                return answer.status, said

    async def listed(self) -> dict[str, Document | None]:
        """Every booking of the engine's by id, as GET /bookings lists them; None for one that is no more."""
        found: dict[str, Document | None] = {}
        cursor, more = "", True
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.key}"}) as http:
            while more:
                wanted = {"limit": "50"} | ({"cursor": cursor} if cursor else {})
                async with http.get(f"{self.url}/bookings", params=wanted) as answer:
                    page = await answer.json()
                found |= {one["booking_id"]: one for one in page["bookings"]}
                found |= {one["booking_id"]: None for one in page["deleted"]}
                cursor, more = page["cursor"], page["more"]
        return found


@pytest.mark.parametrize("writes", [pytest.param(160, id="160"), LONG])
async def test_both_sides_at_work_on_the_same_bookings_end_in_the_truth(
    roomwire: Roomwire, mirror: MirrorProcess, writes: int
) -> None:
    key = await roomwire.add_key()
    simulator = Simulator(
        roomwire.database.dsn, seed=4, connections=3, today=today(), weights=STAFF, agent="roomwire", pause=0.02
    )
    stop = asyncio.Event()
    async with roomwire.running() as daemon:
        await roomwire.settled()
        engine = Engine(await daemon.api(), key, Random(9))
        working = asyncio.create_task(simulator.run(stop=stop))
        try:
            await engine.work(writes)
        finally:
            stop.set()
            await working
        await roomwire.settled(120)
        listed = await engine.listed()
        conflicts = json.loads(await roomwire.command("conflicts", "--json"))
    found = await mirror.mirror()
    assert roomwire.wrong(found) == []
    assert len(engine.made) > writes // 8, engine.answers
    for flows in (("change_room", "move_dates"), ("split_rooms", "split_nights", "drag_one_room"), ("merge",)):
        assert sum(simulator.actions[flow] for flow in flows), f"staff did not {flows}"
    await links_are_right(roomwire, engine, found, listed)
    await conflicts_are_right(roomwire, engine, conflicts)


async def links_are_right(
    roomwire: Roomwire, engine: Engine, mirror: Mirror, listed: dict[str, Document | None]
) -> None:
    """Each booking was made once, and is one for the engine as long as a night of it is left, wherever that is."""
    answered = {one.external_id: one.id for one in engine.made}
    assert len(answered) == len(engine.made)
    links = await rows(roomwire, "select external_id, reservation_id::text from booking_engine.booking_link")
    assert dict(links) == answered
    ours = await rows(
        roomwire, "select id::text, ota_reservation_id from reservations where agent = 'roomwire' and type = 'web'"
    )
    assert {external_id for _, external_id in ours} <= answered.keys(), "staff split, they invent nothing"
    there = dict(ours)
    told = {key[2] for key, held in mirror.held.items() if key[0] == "booking" and held.body is not None}
    assert told.isdisjoint(there.keys() - set(answered.values())), "what is split off is no booking by itself"
    left = {booking for (booking,) in await rows(roomwire, LEFT)}
    assert left <= told, "a guest is told that his booking is gone, whose room is kept"
    for external_id, booking in answered.items():
        held = mirror.held["booking", 1, booking]
        if booking in there:
            assert there[booking] == external_id
        assert listed[booking] == (
            None
            if held.body is None
            else held.body | {"version": held.version, "links": {"self": f"/api/booking-engine/bookings/{booking}"}}
        )


async def conflicts_are_right(roomwire: Roomwire, engine: Engine, listed: list[dict[str, Any]]) -> None:
    """Every night that is given away twice is listed, and each booking's sync status says so."""
    now = await asyncio.to_thread(truth, roomwire.database.dsn, today())
    shared = {
        (key[2], night["date"], night["room_number"])
        for key, body in now.documents.items()
        if key[0] == "booking"
        for night in body["nights"]
        if night["contested"] and date.fromisoformat(night["date"]) >= today() - timedelta(days=1)
    }
    assert {(one["reservation_id"], one["date"], one["room_number"]) for one in listed} == shared
    contested = {UUID(booking) for booking, _, _ in shared}
    statuses = await rows(
        roomwire,
        "select reservation_id, status from booking_engine.sync_status where reservation_id is not null",
    )
    assert dict(statuses) == {
        UUID(one.id): "conflict" if UUID(one.id) in contested else "synced" for one in engine.made
    }


async def rows(roomwire: Roomwire, query: str) -> list[Any]:
    """All rows of a question to the database."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        return await (await conn.execute(query.encode())).fetchall()
