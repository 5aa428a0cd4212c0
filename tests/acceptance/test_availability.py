"""The calendar of a running Roomwire: follows the PMS, and knows how fresh it is while nothing happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from tests.support.daemon import Roomwire, today, until
from tests.support.servers import ON_PG18
from tests.support.servers.databases import Database


@ON_PG18
async def test_a_night_that_staff_give_away_is_gone_from_the_calendar_which_stays_fresh(pms: Database) -> None:
    roomwire = Roomwire(pms)
    await roomwire.command("setup")
    key = await roomwire.add_key()
    night = today() + timedelta(days=300)
    with pms.connect() as desk:
        found = desk.execute(
            "select id, room_type_id from rooms where hotel_id = 1 and for_sale and not is_staff_room limit 1"
        ).fetchone()
        assert found is not None
        room_id, type_id = found
        async with roomwire.running() as daemon, aiohttp.ClientSession() as http:
            url = f"{await daemon.api()}/availability/1"
            await roomwire.settled()

            async def calendar() -> dict[str, Any]:
                asked = {"from": str(night), "to": str(night + timedelta(days=1)), "room_type_id": str(type_id)}
                async with http.get(url, params=asked, headers={"Authorization": f"Bearer {key}"}) as answer:
                    assert answer.status == 200
                    return dict(await answer.json())

            def left(shown: dict[str, Any]) -> int:
                return int(shown["room_types"][0]["ranges"][0]["available"])

            before = left(await calendar())
            desk.execute(
                "with stay as ("
                " insert into reservations (hotel_id, reservation_client_id, check_in, check_out, number_of_people,"
                " created_by, updated_by) values (1, '11111111-1111-1111-1111-111111111111', %(n)s,"
                " %(n)s::date + 1, 1, 1, 1) returning id)"
                " insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people,"
                " created_by, updated_by) select 1, id, %(n)s, %(r)s, 1, 1, 1 from stay",
                {"n": night, "r": room_id},
            )
            committed = datetime.now(UTC)

            async def gone() -> bool:
                return left(await calendar()) == before - 1

            assert await until(gone, 60), daemon.log()

            async def fresh() -> bool:
                """Whether what is said to be in the documents has passed the last change, by a heartbeat."""
                shown = await calendar()
                assert shown["stale"] is False
                return datetime.fromisoformat(shown["as_of"]) > committed

            assert await until(fresh, 30), daemon.log()
