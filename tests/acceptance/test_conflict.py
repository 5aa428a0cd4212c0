"""A room that staff give away although a booking has it: everybody is told at once, and when it is over."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg

from tests.acceptance.test_booking import FAR, Engine, asked, write
from tests.support.daemon import Roomwire, until
from tests.support.mirror.process import MirrorProcess

THEIRS = (
    "with r as (insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out,"
    " number_of_people, status) select %s, 1, id, %s, %s::date + 1, 1, 'cancelled'"
    " from clients limit 1 returning id)"
    " insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people, cancelled)"
    " select 1, r.id, %s, %s, 1, gen_random_uuid() from r"
)
REVIVE = (
    "update reservation_details set cancelled = null, billable = true, updated_by = 3 where reservation_id = %s"
)


async def test_a_stay_revived_over_a_booking_is_told_to_engine_and_staff_until_they_settle_it(
    roomwire: Roomwire, mirror: MirrorProcess
) -> None:
    key = await roomwire.add_key()
    async with roomwire.running() as daemon:
        await roomwire.settled()
        url = await daemon.api()
        engine = Engine(url, key)
        _, made = await engine.post("/bookings", asked(FAR), "one")
        night, theirs = made["nights"][0], str(uuid4())
        assert not night["contested"]
        await write(roomwire, THEIRS, theirs, night["date"], night["date"], night["date"], night["room_id"])
        await roomwire.settled()
        await write(roomwire, REVIVE, theirs)
        assert await until(lambda: told(mirror, made, contested=True), 30), daemon.log()
        assert '"event": "conflict"' in daemon.log()
        assert await booking(url, key, made) == [True]
        said = await roomwire.command("conflicts")
        assert all(word in said for word in (made["booking_id"], made["external_id"], night["date"], theirs))
        assert await status(roomwire, made) == "conflict"
        look = json.loads(await roomwire.command("status", "--json"))
        assert (look["conflicts"], look["bookings"], look["ok"]) == (1, {"conflict": 1}, False)
        said = await roomwire.command("bookings")
        assert f"conflict  hotel 1  engine {made['external_id']}  booking {made['booking_id']}" in said
        assert await until(lambda: measured(url, 1), 30)

        await write(roomwire, "delete from reservations where id = %s", theirs)
        assert await until(lambda: told(mirror, made, contested=False), 30), daemon.log()
        assert '"event": "conflict_over"' in daemon.log()
        assert await booking(url, key, made) == [False]
        assert await status(roomwire, made) == "synced"
        assert await until(lambda: measured(url, 0), 30)
        await roomwire.settled()
    found = await mirror.mirror()
    assert roomwire.wrong(found) == []
    assert found.counts["booking.updated"] >= 2


async def told(mirror: MirrorProcess, made: dict[str, Any], *, contested: bool) -> bool:
    """Whether the engine has been told so of the booking's only night."""
    held = (await mirror.mirror()).held["booking", 1, made["booking_id"]]
    assert held.body is not None
    return [night["contested"] for night in held.body["nights"]] == [contested]


async def booking(url: str, key: str, made: dict[str, Any]) -> list[bool]:
    """What the API says of the booking's nights."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{url}/bookings/{made['booking_id']}", headers={"Authorization": f"Bearer {key}"}) as answer,
    ):
        return [night["contested"] for night in (await answer.json())["nights"]]


async def status(roomwire: Roomwire, made: dict[str, Any]) -> str:
    """How the booking fares."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        row = await (
            await conn.execute(
                "select status from booking_engine.sync_status where reservation_id = %s", [made["booking_id"]]
            )
        ).fetchone()
    assert row is not None
    return str(row[0])


async def measured(url: str, conflicts: int) -> bool:
    """Whether the metrics count so many."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{url.removesuffix('/api/booking-engine')}/metrics") as answer,
    ):
        found = re.search(r"^roomwire_conflicts (\d+)", await answer.text(), re.MULTILINE)
    return found is not None and int(found[1]) == conflicts
