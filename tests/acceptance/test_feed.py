"""The feed of a running Roomwire: an engine that only pulls knows what the PMS says, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg

from deploy.pms.simulator import Simulator
from tests.integration.api.events.reader import keep
from tests.support.daemon import Daemon, Roomwire, today, until
from tests.support.mirror import Mirror

FAR = 200
"""Days ahead in which the seed has no stays."""
ACTIONS, KILLS, BOOKINGS = 150, 2, 8


class Puller:
    """A booking engine that pulls, keeps, and acknowledges; and books meanwhile."""

    def __init__(self, daemon: Daemon, key: str, http: aiohttp.ClientSession) -> None:
        self._daemon = daemon
        self._key = key
        self._http = http
        self.mirror = Mirror()
        self.positions: list[int] = []
        self.booked = 0

    async def call(self, method: str, path: str, **wishes: Any) -> tuple[int, Any]:
        """An answer, however often it takes."""
        headers = {"Authorization": f"Bearer {self._key}", **wishes.pop("headers", {})}
        while True:
            try:
                url = await self._daemon.api() + path
                async with self._http.request(method, url, headers=headers, **wishes) as answer:
                    if answer.status < 500:
                        return answer.status, await answer.json()
            except aiohttp.ClientError:
                assert await until(self._alive, 60)

    async def _alive(self) -> bool:
        try:
            url = (await self._daemon.api()).removesuffix("/api/booking-engine")
            async with self._http.get(f"{url}/livez") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def pull(self, ended: asyncio.Event) -> None:
        """Pull on and on from its cursor, until nothing comes any more after the end."""
        while True:
            last = ended.is_set()
            wait = "0" if last else "1"
            status, page = await self.call(
                "GET", "/events", params={"after": "puller", "wait": wait, "limit": "50"}
            )
            assert status == 200, page
            for event in page["events"]:
                self.positions.append(event["position"])
                keep(self.mirror, event)
            asked = {"cursor": "puller", "position": page["position"]}
            headers = {"Idempotency-Key": str(uuid4())}
            status, acked = await self.call("POST", "/events/ack", json=asked, headers=headers)
            while status == 409:  # the try before may still be on its way, though who made it was killed
                status, acked = await self.call("POST", "/events/ack", json=asked, headers=headers)
            assert (status, acked["position"]) == (200, page["position"])
            if last and not page["more"]:
                return

    async def book(self) -> None:
        """Book a night after another."""
        for n in range(BOOKINGS):
            asked = {
                "hotel_id": 1,
                "external_id": str(uuid4()),
                "check_in": str(today() + timedelta(days=FAR + n)),
                "check_out": str(today() + timedelta(days=FAR + n + 1)),
                "rooms": [{"room_type_id": 1, "plan_key": "1h1", "number_of_people": 1}],
                "guest": {"name": "山田 花子"},
            }
            headers = {"Idempotency-Key": str(uuid4())}
            status, said = await self.call("POST", "/bookings", json=asked, headers=headers)
            assert status == 201 or said["code"] in {"sold_out", "in_progress"}, said
            self.booked += status == 201


async def test_who_only_pulls_ends_with_the_truth_beside_staff_bookings_kills_and_an_open_transaction(
    roomwire: Roomwire,
) -> None:
    key = await roomwire.add_key()
    due, ended = asyncio.Event(), asyncio.Event()

    def count(_flow: str) -> None:
        if simulator.actions.total() % (ACTIONS // (KILLS + 1)) == 0:
            due.set()

    simulator = Simulator(roomwire.database.dsn, seed=5, connections=3, rate=None, today=today(), on_action=count)
    async with (
        roomwire.running() as daemon,
        aiohttp.ClientSession() as http,
        await psycopg.AsyncConnection.connect(roomwire.database.dsn) as open_one,
    ):
        await roomwire.captured()
        await open_one.execute("select pg_current_xact_id()")
        puller = Puller(daemon, key, http)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(puller.pull(ended))
            booking = tasks.create_task(puller.book())
            killing = tasks.create_task(_kill_when_due(daemon, due))
            await simulator.run(actions=ACTIONS)
            await asyncio.gather(booking, killing)
            await roomwire.captured(120)
            assert await until(lambda: _numbered(roomwire), 60)
            ended.set()
    assert puller.booked
    assert puller.positions == sorted(set(puller.positions))
    assert puller.mirror.violations == []
    assert roomwire.wrong(puller.mirror) == []


async def _kill_when_due(daemon: Daemon, due: asyncio.Event) -> None:
    for _ in range(KILLS):
        await due.wait()
        due.clear()
        await daemon.kill()
        await daemon.start()


async def _numbered(roomwire: Roomwire) -> bool:
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        row = await (await conn.execute("select not exists (select from booking_engine.event_queue)")).fetchone()
        return bool(row and row[0])
