"""The API killed at every statement of a booking: booked and answered the same when asked again, or not booked."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
from psycopg.conninfo import make_conninfo

from tests.acceptance.test_booking import FAR, asked, count
from tests.support.daemon import Daemon, Roomwire, until
from tests.support.gates import Gates, gates

AT_ONCE = 7
"""Transactions that are stopped in one process, which has ten connections."""
Request = tuple[str, dict[str, Any]]


class Engine:
    """Books at one process."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key

    async def book(self, request: Request) -> tuple[int, Any, bool]:
        """Status, body, and whether it is an answer that was given before."""
        once, body = request
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": once}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{self._url}/bookings", json=body) as answer,
        ):
            return answer.status, await answer.json(), "Idempotent-Replayed" in answer.headers


async def test_it_is_killed_at_every_statement_of_a_booking(roomwire: Roomwire) -> None:
    key = await roomwire.add_key()
    async with roomwire.running():
        await roomwire.settled()
    booked: dict[str, str] = {}
    stopped: list[Request] = []
    road: list[str] = []
    places: list[int] = []
    async with gates(roomwire.database.server.address) as gate:
        behind_gates(roomwire, gate)
        while True:
            async with roomwire.running("--only", "api") as daemon:
                engine = Engine(await daemon.api(), key)
                await ask_again(engine, stopped, booked)
                if not road:
                    # The first one of a process also reads the prices that are kept from then on.
                    for _ in range(2):
                        assert (await engine.book((str(uuid4()), asked(FAR))))[0] == 201
                    road = gate.road
                    assert (road[0], road[-1]) == ("begin", "commit")
                    places = list(range(2, len(road) + 2))
                if not places:
                    break
                now, places = places[:AT_ONCE], places[AT_ONCE:]
                stopped = await stop_and_kill(daemon, engine, gate, now)
            # Booked is what has committed, and only that, though nobody was told.
            assert await until(lambda: nobody_is_at_it(roomwire), 30)
            booked = await reservations(roomwire, stopped)
            assert len(booked) == sum(place == len(road) + 1 for place in now)
    assert await count(roomwire, "reservations where agent = 'roomwire'") == len(road) + 2


def behind_gates(roomwire: Roomwire, gate: Gates) -> None:
    """Let the API's sessions go through the gates."""
    plain = roomwire.environment()["ROOMWIRE_WRITER_DSN"]
    through: dict[str, str | int] = {
        "host": "127.0.0.1",
        "port": gate.port,
        "sslmode": "disable",
        "gssencmode": "disable",
    }
    roomwire.settings["ROOMWIRE_WRITER_DSN"] = make_conninfo(plain, **through)


async def stop_and_kill(daemon: Daemon, engine: Engine, gate: Gates, places: list[int]) -> list[Request]:
    """Ask for bookings that are each stopped at one of these places, and kill the process when all of them are."""
    gate.stopped = 0
    gate.stops.extend(places)
    requests = [(str(uuid4()), asked(FAR + place)) for place in places]
    asking = [asyncio.create_task(engine.book(request)) for request in requests]

    async def all_stopped() -> bool:
        return gate.stopped == len(places)

    assert await until(all_stopped, 30), daemon.log()
    await daemon.kill()
    for answer in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(answer, aiohttp.ClientError), answer
    return requests


async def ask_again(engine: Engine, requests: list[Request], booked: dict[str, str]) -> None:
    """Send the same requests to another process: what was booked is answered, the others are booked."""
    for request in requests:
        status, body, replayed = await engine.book(request)
        before = booked.get(request[1]["external_id"])
        assert (status, replayed) == (201, before is not None), body
        assert body["external_id"] == request[1]["external_id"]
        assert before in {None, body["booking_id"]}
        assert await engine.book(request) == (201, body, True)


async def nobody_is_at_it(roomwire: Roomwire) -> bool:
    return not await count(roomwire, "pg_stat_activity where usename = %s", roomwire.writer)


async def reservations(roomwire: Roomwire, requests: list[Request]) -> dict[str, str]:
    """Those of the requests that are booked: the engine's id → the reservation's."""
    ids = [body["external_id"] for _, body in requests]
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        rows = await conn.execute(
            "select ota_reservation_id, id::text from reservations where ota_reservation_id = any(%s)", [ids]
        )
        return dict(await rows.fetchall())
