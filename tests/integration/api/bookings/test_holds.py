"""Holds: made, booked, given back, expired, and taken over by staff."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, LiteralString
from uuid import uuid4

import pytest
from psycopg.sql import SQL
from structlog.testing import capture_logs

from api.bookings.sweeper import sweep
from api.context import Context, Options
from sql.pms.brevity import OverdueError
from tests.integration.api.bookings.stays import HOTEL, asked, book, room_type
from tests.support.api import Answered, Api, running_api
from tests.support.servers.databases import Database

STATUS = "select status from reservations where id = %s"
DOCUMENT = "select body ->> 'status' from booking_engine.document where kind = 'booking' and id = %s"


async def hold(api: Api, kind: int, *, key: str | None = None, **more: Any) -> Answered:
    stay = asked(api, kind)
    body = {name: stay[name] for name in ("hotel_id", "check_in", "check_out")}
    rooms = [{"room_type_id": kind, "number_of_people": 1}]
    headers = {"Idempotency-Key": str(uuid4())}
    return await api.post("/holds", body | {"rooms": rooms} | more, headers=headers, key=key or api.mine)


async def release(api: Api, hold_id: str, **wishes: Any) -> Answered:
    return await api.call("DELETE", f"/holds/{hold_id}", headers={"Idempotency-Key": str(uuid4())}, **wishes)


@pytest.fixture(autouse=True)
def _no_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds end when a test sweeps, and not when the API does, which it does every few seconds."""

    async def never(_context: Context) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("daemon.serving.keep_sweeping", never)


async def expire(api: Api) -> None:
    await api.rows("update booking_engine.hold set expires_at = clock_timestamp() returning 1")


async def swept(api: Api) -> int | None:
    """Sweep once; None where a busy machine ended the session before its time, so that nobody knows what it did."""
    try:
        return await sweep(api.context)
    except OverdueError:
        return None


async def sweep_away(api: Api, count: int) -> None:
    """Sweep to the end until so many have ended: what a busy machine has no time for is done the next time."""
    held: LiteralString = "select count(*) from booking_engine.hold"
    left, done = await api.value(held) - count, False
    while not done:
        with suppress(OverdueError):
            await sweep(api.context)
            done = await api.value(held) <= left
    assert await api.value(held) == left


async def staff(api: Api, statement: LiteralString, *values: Any) -> None:
    async with api.desk.transaction():
        await api.desk.execute("select set_config('my_app.user_id', '3', true)")
        await api.desk.execute(statement, values)


async def test_a_hold_keeps_its_room_and_becomes_the_booking(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    held = await hold(api, kind)
    assert held.status == 201, held.body
    hold_id = held.body["hold_id"]
    assert await api.value(DOCUMENT, hold_id) == "hold"
    assert (await book(api, asked(api, kind))).code == "sold_out"
    nights = "select id, room_id from reservation_details where reservation_id = %s order by date"
    before = await api.rows(nights, hold_id)
    made = await book(api, asked(api, kind, hold_id=hold_id, requests="静かな部屋"))
    assert made.status == 201, made.body
    assert made.body["booking_id"] == hold_id
    assert (made.body["status"], made.body["comment"]) == ("confirmed", "静かな部屋")
    assert made.body["guest"]["name"] == "山田 花子"
    assert {(night["plan_key"], night["billable"]) for night in made.body["nights"]} == {("1h1", True)}
    assert made.body["total"] > 0
    assert await api.rows(nights, hold_id) == before
    await expire(api)
    assert await sweep(api.context) == 0
    assert await api.value(STATUS, hold_id) == "confirmed"
    assert (await book(api, asked(api, kind, hold_id=hold_id))).code == "unknown_hold"


async def test_an_expired_hold_is_deleted_and_its_room_free(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    hold_id = (await hold(api, kind)).body["hold_id"]
    assert await sweep(api.context) == 0
    await expire(api)
    assert (await book(api, asked(api, kind, hold_id=hold_id))).code == "unknown_hold"
    counts: list[int | None] = []
    with capture_logs() as logs:
        while await api.value(STATUS, hold_id) is not None:  # for which a busy machine may need a second time
            counts += await asyncio.gather(swept(api), swept(api))
    # A sweep that was ended during its commit does not know whether it was the one.
    overdue = None in counts or "hold_not_ended" in {line["event"] for line in logs}
    assert sum(filter(None, counts)) in ({0, 1} if overdue else {1})
    assert await api.value(DOCUMENT, hold_id) is None
    assert (await book(api, asked(api, kind))).status == 201


async def test_a_hold_that_is_given_back_frees_its_room(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    hold_id = (await hold(api, kind)).body["hold_id"]
    stranger = await api.key(client="another")
    assert (await release(api, hold_id, key=stranger)).code == "unknown_hold"
    assert (await book(api, asked(api, kind, hold_id=hold_id), key=str(uuid4()))).status == 201
    assert (await release(api, hold_id)).code == "unknown_hold"
    other = (await hold(api, kind, check_out=str(api.day(290)), check_in=str(api.day(289)))).body["hold_id"]
    assert (await release(api, other)).status == 204
    assert await api.value(STATUS, other) is None


@pytest.mark.parametrize(
    "change",
    [
        "update reservations set comment = 'VIP', updated_by = 3 where id = %s",
        "update reservations set status = 'provisory', updated_by = 3 where id = %s",
        "update reservation_details set price = 100, updated_by = 3 where reservation_id = %s",
        "insert into reservation_parking (hotel_id, reservation_details_id, date)"
        " select hotel_id, id, date from reservation_details where reservation_id = %s limit 1",
    ],
)
async def test_what_staff_have_touched_is_theirs(api: Api, change: LiteralString) -> None:
    hold_id = (await hold(api, await room_type(api, rooms=1))).body["hold_id"]
    await staff(api, change, hold_id)
    assert (await release(api, hold_id)).code == "hold_changed"
    await expire(api)
    await sweep_away(api, 1)
    assert await api.value(STATUS, hold_id) is not None
    assert await api.value("select count(*) from booking_engine.hold") == 0


async def test_a_hold_ends_in_a_pms_without_parking_too(api: Api) -> None:
    await api.desk.execute("drop table reservation_parking")
    hold_id = (await hold(api, await room_type(api, rooms=1))).body["hold_id"]
    assert (await release(api, hold_id)).status == 204
    assert await api.value(STATUS, hold_id) is None


async def test_a_hold_that_staff_moved_is_booked_where_it_is_now(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    hold_id = (await hold(api, kind)).body["hold_id"]
    await staff(
        api,
        "update reservation_details d set updated_by = 3, room_id = ("
        " select id from rooms where hotel_id = d.hotel_id and room_type_id = %s and for_sale and id <> d.room_id)"
        " where d.reservation_id = %s",
        kind,
        hold_id,
    )
    room = await api.value("select min(room_id) from reservation_details where reservation_id = %s", hold_id)
    made = await book(api, asked(api, kind, hold_id=hold_id))
    assert {night["room_id"] for night in made.body["nights"]} == {room}


async def test_a_hold_is_for_its_own_stay(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    hold_id = (await hold(api, kind)).body["hold_id"]
    for other in (
        asked(api, kind, nights=1, hold_id=hold_id),
        asked(api, kind, rooms=2, hold_id=hold_id),
    ):
        assert (await book(api, other)).code == "hold_changed"
    await staff(
        api,
        "update reservation_details set cancelled = gen_random_uuid(), updated_by = 3 where id = ("
        " select id from reservation_details where reservation_id = %s limit 1)",
        hold_id,
    )
    assert (await book(api, asked(api, kind, hold_id=hold_id))).code == "hold_changed"


@pytest.mark.parametrize(
    "change",
    [
        "update rooms r set for_sale = false, updated_by = 3 from reservation_details d"
        " where r.hotel_id = d.hotel_id and r.id = d.room_id and d.reservation_id = %s",
        "update rooms r set is_staff_room = true, updated_by = 3 from reservation_details d"
        " where r.hotel_id = d.hotel_id and r.id = d.room_id and d.reservation_id = %s",
        "update reservation_details d set date = r.check_out, updated_by = 3 from reservations r"
        " where d.hotel_id = r.hotel_id and d.reservation_id = r.id and d.date = r.check_in and r.id = %s",
    ],
    ids=["not for sale", "a staff room", "another night"],
)
async def test_a_hold_that_does_not_keep_its_stay_any_more_is_not_booked(api: Api, change: LiteralString) -> None:
    kind = await room_type(api, rooms=1)
    hold_id = (await hold(api, kind)).body["hold_id"]
    await staff(api, change, hold_id)
    refused = await book(api, asked(api, kind, hold_id=hold_id))
    assert (refused.status, refused.code) == (409, "hold_changed")
    assert await api.value(STATUS, hold_id) == "hold"


async def test_a_hold_whose_room_staff_have_given_away_is_not_booked(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    hold_id = (await hold(api, kind)).body["hold_id"]
    await staff(
        api,
        "with r as (insert into reservations (hotel_id, reservation_client_id, check_in, check_out,"
        " number_of_people, status) select hotel_id, reservation_client_id, check_in, check_out, 1, 'confirmed'"
        " from reservations where id = %s returning id, hotel_id)"
        " insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people)"
        " select d.hotel_id, r.id, d.date, d.room_id, 1 from r join reservation_details d"
        " on d.hotel_id = r.hotel_id and d.reservation_id = %s",
        hold_id,
        hold_id,
    )
    refused = await book(api, asked(api, kind, hold_id=hold_id))
    assert (refused.status, refused.code) == (409, "hold_changed")
    assert "another stay" in refused.body["detail"]


async def test_the_sweeper_passes_over_what_staff_are_at_and_forgets_old_answers(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    first, second = [(await hold(api, kind)).body["hold_id"] for _ in range(2)]
    await expire(api)
    await api.rows("update booking_engine.idempotency set created_at = now() - interval '8 days' returning 1")
    async with api.desk.transaction():
        await api.desk.execute(
            "select from reservations where hotel_id = %s and id = %s for update", [HOTEL, first]
        )
        await sweep_away(api, 1)
    assert [await api.value(STATUS, one) for one in (first, second)] == ["hold", None]
    assert await api.value("select count(*) from booking_engine.idempotency") == 0
    await sweep_away(api, 1)


async def test_a_hold_that_cannot_be_ended_keeps_no_other_from_its_end(api: Api) -> None:
    kind = await room_type(api, rooms=2)
    first, second = [(await hold(api, kind)).body["hold_id"] for _ in range(2)]
    await api.desk.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'not this one'; end $$"
    )
    await api.desk.execute(
        SQL(
            "create trigger refused before delete on reservations for each row when (old.id = {})"
            " execute function refuse()"
        ).format(first)
    )
    await expire(api)
    await api.rows(
        "update booking_engine.hold set expires_at = expires_at - interval '1 minute'"
        " where reservation_id = %s returning 1",
        first,
    )
    with capture_logs() as logs:
        await sweep_away(api, 1)
    assert [await api.value(STATUS, one) for one in (first, second)] == ["hold", None]
    told = {(line["event"], line["hold"], line["error"]) for line in logs if line["error"] != "OverdueError"}
    assert told == {("hold_not_ended", first, "RaiseException")}
    await api.desk.execute("drop trigger refused on reservations")
    await sweep_away(api, 1)


async def test_a_client_holds_so_many_rooms_at_a_time_and_no_more(in_step: Database) -> None:
    async with running_api(in_step, options=Options(held_rooms=2)) as api:
        kind = await room_type(api, rooms=3)
        answers = await asyncio.gather(*(hold(api, kind) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [201, 201, 429]
        (refused,) = [answer for answer in answers if answer.status == 429]
        assert refused.code == "too_many_held"
        assert 0 < int(refused.headers["Retry-After"]) <= 600
        assert (await hold(api, kind, key=await api.key(client="another"))).status == 201
        held = next(answer for answer in answers if answer.status == 201)
        assert (await release(api, held.body["hold_id"])).status == 204
        one = {"Idempotency-Key": "one"}
        body = asked(api, kind)
        stay = {name: body[name] for name in ("hotel_id", "check_in", "check_out")}
        rooms = [{"room_type_id": kind, "number_of_people": 1}]
        two = await api.post("/holds", stay | {"rooms": rooms * 2}, headers=one)
        assert two.code == "too_many_held"
        # It was no final answer: the same request is decided anew.
        await expire(api)
        await sweep_away(api, 2)
        assert (await api.post("/holds", stay | {"rooms": rooms * 2}, headers=one)).status == 201
