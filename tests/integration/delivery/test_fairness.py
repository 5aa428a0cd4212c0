"""Who comes first, and that nobody is forgotten over it."""

import asyncio
from typing import Any
from uuid import uuid4

from outbox.delivery.pump import Timing
from sql import delivery
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.integration.delivery.receiver import holding
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import DAY

LONG_AGO = "update booking_engine.behind set place = place - 60000000"


async def queue(bench: Bench, size: int = 2_000) -> list[tuple[str, int, str]]:
    """What would be sent next, in order."""
    worker = uuid4()
    claimed = await delivery.claim(bench.documents.conn, 1, worker=worker, token=uuid4(), size=size, lease=1)
    return [claim[:3] for claim in claimed.claims]


async def filled(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")


async def test_many_changes_of_one_hotel_let_those_of_others_through(bench: Bench) -> None:
    await filled(bench)
    await bench.documents.bookings(7, 1_000)
    await bench.documents.booking(8, booking_id(8))
    assert ("booking", 8, booking_id(8)) in await queue(bench, 900)


async def test_bookings_come_first_and_what_waits_for_long_comes_before_them(bench: Bench) -> None:
    await filled(bench)
    await bench.documents.plan(7, "old")
    await bench.documents.conn.execute(LONG_AGO)
    await bench.documents.plan(7, "new")
    await bench.documents.booking(7, booking_id(1))
    assert [key[0::2] for key in await queue(bench)] == [
        ("plan", "old"),
        ("booking", booking_id(1)),
        ("plan", "new"),
    ]


async def test_what_changes_now_takes_turns_with_what_piled_up(bench: Bench) -> None:
    await bench.endpoint(concurrency=1)
    async with bench.delivering():
        await bench.idle()
    await bench.documents.bookings(7, 60)
    await bench.documents.conn.execute(LONG_AGO)
    gate = asyncio.Event()
    bench.receiver.answer = holding(gate)
    async with bench.delivering(Timing(send=60, poll=0.1)):
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        for number in range(5):
            await bench.documents.booking(8, booking_id(number))
        bench.wake.set()

        async def taken() -> bool:
            return await bench.count("behind where hotel_id = 8 and token is not null") > 0

        await eventually(taken)
        gate.set()
        await bench.idle()
    order = [received.data["hotel_id"] for received in bench.receiver.received]
    live = [place for place, hotel in enumerate(order) if hotel == 8]
    assert max(live) < 20, "about every second message, though 60 waited before"


async def test_bookings_that_come_faster_than_they_are_taken_go_first_and_starve_nothing(
    bench: Bench, ours: Database
) -> None:
    """Whatever is sent, there are always some behind it; by strict precedence the plan would never come."""
    await bench.endpoint(concurrency=1)
    stop = asyncio.Event()

    async def slowly(_message: dict[str, Any]) -> int:
        await asyncio.sleep(0.02)
        return 204

    async def book() -> None:
        number, before = 0, -100
        async with await connect(ours.dsn, application="projector", lock_timeout="20s") as other:
            while not stop.is_set():
                await bench.receiver.until(lambda: stop.is_set() or bench.receiver.begun > before + 10)  # noqa: B023
                before = bench.receiver.begun
                await Documents(other).bookings(7, 50, first=number)
                number += 50
                bench.wake.set()

    async with bench.delivering(Timing(poll=0.1, drain=0)):
        await bench.idle()
        bench.receiver.answer = slowly
        booking = asyncio.create_task(book())
        await bench.receiver.until(lambda: bench.receiver.begun >= 20)
        await bench.documents.plan(7, "1h")
        at = len(bench.receiver.accepted)
        await bench.receiver.until(lambda: "plan.updated" in bench.receiver.types())
        waiting = await bench.count("behind where kind = 'booking'")
        stop.set()
        await booking
    place = bench.receiver.types().index("plan.updated")
    assert waiting > 0, "they never ended"
    assert "booking.created" in bench.receiver.types()[at:place], "bookings go first"


async def test_keys_that_are_not_taken_do_not_stand_in_the_way(bench: Bench) -> None:
    await filled(bench)
    await bench.documents.bookings(7, 500)
    await bench.documents.conn.execute("update booking_engine.behind set rejected_at = now() where id < '8'")
    await bench.documents.conn.execute(
        "update booking_engine.behind set not_before = now() + interval '1 hour', tries = 2 where id >= '8'"
    )
    await bench.documents.booking(8, booking_id(1))
    assert await queue(bench, 1) == [("booking", 8, booking_id(1))]


async def test_a_key_whose_pause_is_over_is_claimed_beside_the_queue(bench: Bench) -> None:
    await filled(bench)
    await bench.documents.booking(7, booking_id(1))
    await bench.documents.conn.execute(
        "update booking_engine.behind set not_before = now() - interval '1 s', outages = 3"
    )
    await bench.documents.bookings(7, 20)
    assert ("booking", 7, booking_id(1)) in await queue(bench, 1)


async def test_a_snapshot_does_not_wait_for_what_is_not_taken(bench: Bench) -> None:
    async def picky(message: dict[str, Any]) -> int:
        return 422 if message["type"] == "plan.updated" else 204

    bench.receiver.answer = picky
    await bench.documents.hotel(7)
    await bench.documents.plan(7, "1h")
    await bench.documents.availability(7, 71, nights(DAY, [1, 2]))
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle(rejected=1)
    assert bench.receiver.types()[-1] == "hotel.snapshot"


async def test_a_booking_that_is_our_own_no_longer_is_withdrawn_from_who_hears_of_our_own_only(
    bench: Bench,
) -> None:
    await bench.endpoint(bookings="own")
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1), own=True)
        await bench.documents.booking(7, booking_id(2))
        await bench.idle()
        version = await bench.documents.booking(7, booking_id(1), own=False)
        await bench.idle()
        await bench.documents.booking(7, booking_id(1), status="checked_in")
        await bench.idle()
        again = await bench.documents.booking(7, booking_id(1), own=True)
        await bench.idle()
    assert [(one.type, one.data["booking_id"], one.data["version"]) for one in bench.receiver.accepted][1:] == [
        ("booking.deleted", booking_id(1), version),
        ("booking.updated", booking_id(1), again),
    ]


async def test_a_booking_that_passed_through_our_own_unseen_is_not_withdrawn(bench: Bench) -> None:
    await bench.endpoint(bookings="own")
    async with bench.delivering():
        await bench.idle()
        async with bench.documents.conn.transaction():
            await bench.documents.booking(7, booking_id(1), own=True)
            await bench.documents.booking(7, booking_id(1), own=False)
        await bench.idle()
    assert bench.receiver.begun == 0


async def test_many_endpoints_are_told_of_changes_at_once_too(bench: Bench) -> None:
    """So many that the database is looked at before anything is claimed."""
    for number in range(12):
        await bench.endpoint(f"engine {number}", hotels=[number % 3 + 1])
    async with bench.delivering(Timing(poll=60)):

        async def filled() -> bool:
            return await bench.count("endpoint where fill_version is null") == 12

        await eventually(filled)
        await bench.documents.booking(2, booking_id(1))
        bench.wake.set()
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 4)
        await bench.idle()
    assert len({received.webhook_id for received in bench.receiver.accepted}) == 4
