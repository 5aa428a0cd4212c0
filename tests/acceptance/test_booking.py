"""Bookings over a running Roomwire: told once, and made once whatever happens to the process."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg

from tests.support.daemon import Daemon, Roomwire, today, until
from tests.support.mirror.process import MirrorProcess

FAR = 200
"""Days ahead in which the seed has no stays."""


def asked(ahead: int, **more: Any) -> dict[str, Any]:
    """A night in a single room."""
    return {
        "hotel_id": 1,
        "external_id": str(uuid4()),
        "check_in": str(today() + timedelta(days=ahead)),
        "check_out": str(today() + timedelta(days=ahead + 1)),
        "rooms": [{"room_type_id": 1, "plan_key": "1h1", "number_of_people": 1}],
        "guest": {"name": "山田 花子"},
    } | more


class Engine:
    """A booking engine that calls the API."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    async def post(self, path: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """The answer to something new.

        Raises:
            aiohttp.ClientError: there was none.
        """
        return await self.write("POST", path, body, {"Idempotency-Key": key})

    async def change(
        self, booking: dict[str, Any], body: dict[str, Any] | None, *, seen: int
    ) -> tuple[int, dict[str, Any]]:
        """The answer to a change, or (None) a cancellation, of a booking in the version that was seen."""
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": f'"{seen}"'}
        path = f"/bookings/{booking['booking_id']}"
        return await self.write("PUT" if body else "DELETE", path, body, headers)

    async def write(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """The answer to a write."""
        headers |= {"Authorization": f"Bearer {self.key}"}
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self.url + path, json=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json()


async def told(mirror: MirrorProcess) -> Counter[str]:
    """Messages about bookings, by type."""
    counts = (await mirror.mirror()).counts
    return Counter({kind: number for kind, number in counts.items() if kind.startswith("booking.")})


async def test_a_booking_is_told_once_and_each_change_once_more(roomwire: Roomwire, mirror: MirrorProcess) -> None:
    key = await roomwire.add_key()
    async with roomwire.running() as daemon:
        await roomwire.settled()
        before = await told(mirror)
        engine = Engine(await daemon.api(), key)
        status, made = await engine.post("/bookings", asked(FAR), "one")
        assert status == 201, made
        await roomwire.settled()
        assert await told(mirror) - before == {"booking.created": 1}
        held = (await mirror.mirror()).held["booking", 1, made["booking_id"]]
        assert held.version == made["version"]
        assert held.body is not None
        assert held.body["nights"] == made["nights"]
        await write(
            roomwire, "update reservations set comment = 'VIP', updated_by = 3 where id = %s", made["booking_id"]
        )
        await roomwire.settled()
        assert await told(mirror) - before == {"booking.created": 1, "booking.updated": 1}
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_changing_and_cancelling_are_told_once_and_never_over_what_staff_changed(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    key = await roomwire.add_key()
    first = asked(FAR)
    wanted = {name: first[name] for name in ("check_in", "rooms")} | {
        "check_out": str(today() + timedelta(days=FAR + 3))
    }
    async with roomwire.running() as daemon:
        await roomwire.settled()
        before = await told(mirror)
        engine = Engine(await daemon.api(), key)
        _, made = await engine.post("/bookings", first, "one")
        await roomwire.settled()
        status, longer = await engine.change(made, wanted, seen=made["version"])
        assert (status, len(longer["nights"])) == (200, 3), longer
        await roomwire.settled()
        await write(
            roomwire, "update reservations set comment = 'VIP', updated_by = 3 where id = %s", made["booking_id"]
        )
        status, refused = await engine.change(made, wanted, seen=longer["version"])
        assert (status, refused["code"]) == (412, "booking_changed")
        await roomwire.settled()
        held = (await mirror.mirror()).held["booking", 1, made["booking_id"]]
        assert held.body is not None
        assert held.body["comment"] == "VIP"
        status, cancelled = await engine.change(made, None, seen=held.version)
        assert (status, cancelled["status"]) == (200, "cancelled")
        await roomwire.settled()
        told_once = {"booking.created": 1, "booking.updated": 2, "booking.cancelled": 1}
        assert await told(mirror) - before == told_once
        nights = [(await mirror.mirror()).held_nights[1, 1, night["date"]].occupied for night in longer["nights"]]
        assert nights == [0, 0, 0]
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_an_expired_hold_is_swept_and_its_room_is_told_free(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    key = await roomwire.add_key()
    body = asked(FAR)
    wanted = {name: body[name] for name in ("hotel_id", "check_in", "check_out")}
    async with roomwire.running() as daemon:
        await roomwire.settled()
        engine = Engine(await daemon.api(), key)
        rooms = [{"room_type_id": 1, "number_of_people": 1}]
        status, hold = await engine.post("/holds", wanted | {"rooms": rooms}, "hold")
        assert status == 201, hold
        await roomwire.settled()
        assert (await mirror.mirror()).held_nights[1, 1, body["check_in"]].occupied == 1
        await write(
            roomwire, "update booking_engine.hold set expires_at = now() where reservation_id = %s", hold["hold_id"]
        )

        async def swept() -> bool:
            return not await count(roomwire, "reservations where id::text = %s", hold["hold_id"])

        assert await until(swept, 60), daemon.log()
        await roomwire.settled()
        assert (await mirror.mirror()).held_nights[1, 1, body["check_in"]].occupied == 0
    assert roomwire.wrong(await mirror.mirror()) == []


async def test_an_api_that_is_killed_has_booked_and_says_so_or_has_not_booked(roomwire: Roomwire) -> None:
    key = await roomwire.add_key()
    async with roomwire.running():
        await roomwire.settled()
    for done in (1, 4, 9, 15):
        requests = [(str(uuid4()), asked(FAR + number)) for number in range(20)]
        ids = [body["external_id"] for _, body in requests]
        async with roomwire.running("--only", "api") as daemon:
            engine = Engine(await daemon.api(), key)
            first = [asyncio.create_task(engine.post("/bookings", body, once)) for once, body in requests]

            async def some(ids: list[str] = ids, done: int = done) -> bool:
                return await count(roomwire, "reservations where ota_reservation_id = any(%s)", ids) >= done

            assert await until(some, 60), daemon.log()
            await daemon.kill()
            answers = await asyncio.gather(*first, return_exceptions=True)
        async with roomwire.running("--only", "api") as daemon:
            again = await retried(daemon, key, requests)
        for (_, body), before, now in zip(requests, answers, again, strict=True):
            assert now["external_id"] == body["external_id"]
            if not isinstance(before, BaseException):
                assert before == (201, now)
        assert await count(roomwire, "reservations where ota_reservation_id = any(%s)", ids) == len(ids)


async def retried(daemon: Daemon, key: str, requests: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The answers to the same requests, asked again while the first ones' connections may still be dying."""
    engine = Engine(await daemon.api(), key)

    async def one(once: str, body: dict[str, Any]) -> dict[str, Any]:
        while (answer := await engine.post("/bookings", body, once))[0] == 409:
            assert answer[1]["code"] == "in_progress", answer
        assert answer[0] == 201, answer
        return answer[1]

    return await asyncio.gather(*(one(once, body) for once, body in requests))


async def write(roomwire: Roomwire, statement: str, *values: Any) -> None:
    """A transaction of the PMS's staff."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        await conn.execute("select set_config('my_app.user_id', '3', true)")
        await conn.execute(statement.encode(), values)


async def count(roomwire: Roomwire, what: str, *values: Any) -> int:
    """Rows of a table with a condition."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        row = await (await conn.execute(f"select count(*) from {what}".encode(), values)).fetchone()
    return int(row[0]) if row else 0
