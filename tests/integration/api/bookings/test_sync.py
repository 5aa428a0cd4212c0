"""How a booking fares, through its whole life: what operators see of each attempt at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString
from uuid import uuid4

import pytest
from psycopg.sql import SQL

from api.bookings.sweeper import sweep
from api.writes import once
from tests.integration.api.bookings.stays import FAR, HOTEL, asked, bare, book, room_type
from tests.support.api import Answered, Api

Seen = tuple[str, str | None, int, bool]


class Attempts:
    """Attempts at one booking.

    Attributes:
        body: how it was asked for.
        at: when the last attempt was that anybody noted.
    """

    def __init__(self, api: Api, body: dict[str, Any]) -> None:
        self.api, self.body = api, body
        self.at: Any = None

    async def seen(self) -> Seen | None:
        """Status, error, retries and whether it is booked, after another attempt; None where none was noted."""
        rows = await self.api.rows(
            "select status, error, retries, reservation_id is not null, last_attempt_at"
            " from booking_engine.sync_status where external_id = %s",
            self.body["external_id"],
        )
        before, self.at = self.at, rows[0][4] if rows else None
        return rows[0][:4] if rows and self.at != before else None

    async def book(self, *, key: str | None = None) -> Answered:
        return await book(self.api, self.body, key=key)

    async def change(self, booking_id: str, *, tag: str | None = None, **more: Any) -> Answered:
        now = await self.api.get(f"/bookings/{booking_id}")
        body = {name: self.body[name] for name in ("check_in", "check_out", "rooms")} | more
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": tag or now.headers["ETag"]}
        return await self.api.put(f"/bookings/{booking_id}", body, headers=headers)

    async def cancel(self, booking_id: str, *, key: str | None = None) -> Answered:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.api.call("DELETE", f"/bookings/{booking_id}", headers=headers)


@asynccontextmanager
async def at_work(api: Api, table: LiteralString, **where: Any) -> AsyncIterator[None]:
    """While staff have rows of a table locked, for longer than the API has patience."""
    condition = SQL(" and ").join(SQL("{} = {}").format(SQL(name), value) for name, value in where.items())
    async with api.desk.transaction():
        await api.desk.execute(SQL("select from {} where {} for update").format(SQL(table), condition))
        with pytest.MonkeyPatch.context() as hasty:
            hasty.setattr(once, "_PATIENCE", 0.3)
            yield


async def test_each_attempt_is_seen_from_the_first_to_the_cancellation(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    one = Attempts(api, asked(api, kind))
    async with at_work(api, "rooms", hotel_id=HOTEL, room_type_id=kind):
        for retries in (0, 1):
            assert (await one.book(key="one")).code == "unavailable"
            assert await one.seen() == ("pending", "unavailable", retries, False)
    booking_id = (made := await one.book(key="one")).body["booking_id"]
    assert await one.seen() == ("synced", None, 2, True)
    assert (await one.book(key="one")).headers["Idempotent-Replayed"]
    assert (await one.book()).code == "already_booked"
    assert await one.seen() is None
    assert (await one.change(booking_id, rooms=one.body["rooms"] * 2)).code == "sold_out"
    assert await one.seen() == ("synced", "sold_out", 0, True)
    assert (await one.change(booking_id, tag='"1"')).code == "booking_changed"
    assert await one.seen() == ("synced", "booking_changed", 1, True)
    longer = str(api.day(FAR + 3))
    async with at_work(api, "reservations", hotel_id=HOTEL, id=booking_id):
        assert (await one.change(booking_id, check_out=longer)).code == "unavailable"
        assert await one.seen() == ("pending", "unavailable", 2, True)
        assert (await one.cancel(booking_id)).code == "unavailable"
        assert await one.seen() == ("pending", "unavailable", 3, True)
    assert bare((await api.get(f"/bookings/{booking_id}")).body) == bare(made.body)
    assert (await one.change(booking_id, check_out=longer)).status == 200
    assert await one.seen() == ("synced", None, 4, True)
    assert (await one.cancel(booking_id)).status == 200
    assert await one.seen() == ("synced", None, 0, True)
    assert (await one.cancel(booking_id)).code == "already_cancelled"
    assert await one.seen() == ("synced", "already_cancelled", 0, True)


async def test_what_was_never_booked_has_failed_until_it_is_forgotten(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    one = Attempts(api, asked(api, kind, hold_id=str(uuid4())))
    for retries in (0, 1):
        assert (await one.book()).code == "unknown_hold"
        assert await one.seen() == ("failed", "unknown_hold", retries, False)
    kept = Attempts(api, asked(api, kind))
    assert (await kept.book()).status == 201
    await api.rows("update booking_engine.sync_status set last_attempt_at = now() - interval '8 days' returning 1")
    await sweep(api.context)
    assert await api.rows("select external_id, status from booking_engine.sync_status") == [
        (kept.body["external_id"], "synced")
    ]


async def test_a_hold_that_is_booked_is_followed_too(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    one = Attempts(api, asked(api, kind))
    stay = {name: one.body[name] for name in ("hotel_id", "check_in", "check_out")}
    rooms = [{"room_type_id": kind, "number_of_people": 1}]
    held = await api.post("/holds", stay | {"rooms": rooms}, headers={"Idempotency-Key": "hold"})
    assert await api.rows("select 1 from booking_engine.sync_status") == []
    one.body |= {"hold_id": held.body["hold_id"]}
    one.body |= {"expected_total": 1}
    assert (await one.book()).code == "price_changed"
    assert await one.seen() == ("failed", "price_changed", 0, False)
    del one.body["expected_total"]
    assert (await one.book()).status == 201
    assert await one.seen() == ("synced", None, 1, True)


async def test_a_fault_of_ours_leaves_it_pending_and_the_same_key_decides_it(api: Api) -> None:
    one = Attempts(api, asked(api, await room_type(api, rooms=1)))
    await api.desk.execute(
        "create function fault() returns trigger language plpgsql as $$ begin raise 'a fault'; end $$;"
        " create trigger faulty before insert or update on reservations for each row execute function fault()"
    )
    assert (await one.book(key="one")).code == "internal_error"
    assert await one.seen() == ("pending", "internal_error", 0, False)
    await api.desk.execute("alter table reservations disable trigger faulty")
    booking_id = (await one.book(key="one")).body["booking_id"]
    assert await one.seen() == ("synced", None, 1, True)
    await api.desk.execute("alter table reservations enable trigger faulty")
    assert (await one.cancel(booking_id, key="two")).code == "internal_error"
    assert await one.seen() == ("pending", "internal_error", 0, True)
    await api.desk.execute("alter table reservations disable trigger faulty")
    assert (await one.cancel(booking_id, key="two")).status == 200
    assert await one.seen() == ("synced", None, 1, True)


async def test_whom_a_booking_does_not_concern_leaves_no_trace_at_it(api: Api) -> None:
    one = Attempts(api, asked(api, await room_type(api, rooms=1)))
    booking_id = (await one.book()).body["booking_id"]
    await one.seen()
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    for stranger in (await api.key(client="another"), await api.key(hotels=[2]), token):
        headers = {"Idempotency-Key": str(uuid4())}
        refused = await api.call("DELETE", f"/bookings/{booking_id}", key=stranger, headers=headers)
        assert refused.code == "unknown_booking"
    assert await one.seen() is None
