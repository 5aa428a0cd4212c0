"""Many at once for few rooms, and with the PMS's own people at work."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import psycopg
import pytest

from deploy.pms.simulator.run import Simulator
from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type
from tests.support.api import Answered, Api
from tests.support.daemon import today, until

PATIENCE = 120.0
"""Seconds, fewer than a call here waits for its answer."""


def outcomes(answers: list[Answered]) -> Counter[tuple[int, str | None]]:
    return Counter((answer.status, answer.code) for answer in answers)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to try again only because the machine is slow."""
    for name in ("writes.once._PATIENCE", "writes.turns._PATIENCE", "context._PATIENCE", "lookup.PATIENCE"):
        monkeypatch.setattr(f"api.{name}", PATIENCE)


@pytest.mark.usefixtures("patient")
async def test_200_ask_for_the_last_room_and_one_gets_it(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    bodies = [asked(api, kind) for _ in range(200)]
    answers = await asyncio.gather(*(book(api, body) for body in bodies))
    assert outcomes(answers) == {(201, None): 1, (409, "sold_out"): 199}
    made = await api.value("select count(*) from reservations where agent = 'roomwire'")
    assert made == 1
    clients = "select count(*) from clients where email = any(%s)"
    assert await api.value(clients, [body["guest"]["email"] for body in bodies]) == 1


@pytest.mark.usefixtures("patient")
async def test_200_ask_for_two_of_three_rooms_and_nobody_is_left_waiting(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = await api.value(deadlocks)
    answers = await asyncio.gather(*(book(api, asked(api, kind, rooms=2)) for _ in range(200)))
    assert outcomes(answers) == {(201, None): 1, (409, "sold_out"): 199}
    assert await api.value("select count(*) from reservations where agent = 'roomwire'") == 1
    assert await api.value(deadlocks) == before


async def test_the_same_request_20_times_at_once_is_one_booking(api: Api) -> None:
    body = asked(api, await room_type(api, rooms=3))
    answers = await asyncio.gather(*(book(api, body, key="one") for _ in range(20)))
    assert {status for status, _ in outcomes(answers)} <= {201, 409}
    assert {code for _, code in outcomes(answers)} <= {None, "in_progress"}
    assert len({answer.body["booking_id"] for answer in answers if answer.status == 201}) == 1
    assert await api.value("select count(*) from reservations where agent = 'roomwire'") == 1


async def send_and_hang_up(api: Api, body: dict[str, Any], key: str) -> None:
    """Send a booking and be gone before its answer comes."""
    address, content = urlsplit(api.url), orjson.dumps(body)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST {address.path}/bookings HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {api.mine}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_who_loses_every_first_answer_ends_with_one_booking_each(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    bodies = [asked(api, kind, ahead=FAR + n, nights=1) for n in range(12)]

    async def lossy(body: dict[str, Any]) -> Answered:
        key = str(uuid4())
        await send_and_hang_up(api, body, key)
        while (again := await book(api, body, key=key)).code == "in_progress":
            pass
        return again

    answers = await asyncio.gather(*(lossy(body) for body in bodies))
    assert {answer.status for answer in answers} == {201}
    made = await api.rows(
        "select ota_reservation_id, count(*) from reservations where agent = 'roomwire' group by 1 order by 1"
    )
    assert made == [(name, 1) for name in sorted(str(body["external_id"]) for body in bodies)]


async def test_a_room_that_staff_are_about_to_give_away_is_not_booked(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    async with await psycopg.AsyncConnection.connect(api.database.dsn, autocommit=True) as staff:
        async with staff.transaction():
            await staff.execute("select set_config('my_app.user_id', '1', true)")
            await staff.execute(
                "with r as (insert into reservations (hotel_id, reservation_client_id, check_in, check_out,"
                " number_of_people) select %(hotel)s, id, %(first)s, %(first)s::date + 1, 1 from clients limit 1"
                " returning id) insert into reservation_details (hotel_id, reservation_id, date, room_id,"
                " number_of_people) select %(hotel)s, r.id, %(first)s, m.id, 1 from r, rooms m"
                " where m.hotel_id = %(hotel)s and m.room_type_id = %(kind)s and m.for_sale",
                {"hotel": HOTEL, "first": api.day(FAR), "kind": kind},
            )
            asking = asyncio.create_task(book(api, asked(api, kind)))

            async def waits() -> bool:
                return bool(
                    await api.value(
                        "select count(*) from pg_stat_activity"
                        " where wait_event_type = 'Lock' and application_name = 'roomwire api'"
                    )
                )

            assert await until(waits, 60)
        answer = await asking
    assert (answer.status, answer.code) == (409, "sold_out")


async def test_while_staff_are_at_the_rooms_for_long_the_answer_is_to_try_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = await room_type(api, rooms=1)
    body = asked(api, kind)
    async with api.desk.transaction():
        await api.desk.execute(
            "select id from rooms where hotel_id = %s and room_type_id = %s for update", [HOTEL, kind]
        )
        with monkeypatch.context() as brief:
            brief.setattr("api.writes.once._PATIENCE", 0.5)
            busy = await book(api, body, key="one")
        assert (busy.status, busy.code) == (503, "unavailable")
        assert busy.headers["Retry-After"]
    stored = "select status, error from booking_engine.sync_status where external_id = %s"
    assert await api.rows(stored, body["external_id"]) == [("pending", "unavailable")]
    assert (await book(api, body, key="one")).status == 201
    assert await api.rows(stored, body["external_id"]) == [("synced", None)]


async def test_no_room_night_is_given_to_two_bookings_of_ours_while_staff_work(api: Api) -> None:
    kinds = await api.rows(
        "select room_type_id from rooms where hotel_id = %s and for_sale and not is_staff_room"
        " group by 1 having count(*) <= 8 limit 2",
        HOTEL,
    )
    # Those who fill rooms beside us; whoever moves a stay of ours may put it over another.
    weights = {"staff_hold": 4, "outside_booking": 6, "plan_and_price": 2, "edit_details": 1, "switch_sale": 1}
    simulator = Simulator(api.database.dsn, seed=5, connections=3, today=today(), weights=weights)
    stop, width = asyncio.Event(), asyncio.Semaphore(12)
    working = asyncio.create_task(simulator.run(stop=stop))

    async def one(number: int, kind: int) -> Answered:
        async with width:
            return await book(
                api, asked(api, kind, ahead=1 + number % 25, nights=1 + number % 3, rooms=1 + number % 2)
            )

    try:
        answers = await asyncio.gather(*(one(number, kind) for number in range(100) for (kind,) in kinds))
    finally:
        stop.set()
        await working
    assert set(outcomes(answers)) <= {(201, None), (409, "sold_out"), (503, "unavailable")}
    assert outcomes(answers)[201, None] > 20
    assert simulator.actions.total() > 20
    assert simulator.troubles["DeadlockDetected"] == 0
    assert not await api.rows(
        "select d.room_id, d.date from reservation_details d"
        " join booking_engine.booking_link l on l.hotel_id = d.hotel_id and l.reservation_id = d.reservation_id"
        " where d.cancelled is null group by d.hotel_id, d.room_id, d.date having count(*) > 1"
    )
