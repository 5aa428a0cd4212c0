"""Content that an endpoint does not take."""

import asyncio
from typing import Any

import pytest

from outbox import endpoints
from outbox.delivery.pump import Timing
from sql import ledger
from sql.ledger import Choice
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.unit.outbox.samples import DAY

OVERDUE = "update booking_engine.behind set not_before = now() where not_before > now()"


async def refusing(_message: dict[str, Any]) -> int:
    return 422


async def accepting(_message: dict[str, Any]) -> int:
    return 204


async def test_rejected_content_is_offered_six_times_then_listed_until_it_changes(bench: Bench) -> None:
    await bench.endpoint()
    bench.receiver.answer = refusing
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))
        for tries in range(1, 7):
            await bench.receiver.until(lambda tries=tries: len(bench.receiver.received) == tries)  # type: ignore[misc]
            counted = f"behind where tries = {tries} and token is null"

            async def noted(counted: str = counted) -> bool:
                return await bench.count(counted) == 1

            await eventually(noted)
            await bench.documents.conn.execute(OVERDUE)
        assert await bench.rows("select rejected_at is not null, last_error from booking_engine.behind") == [
            (True, "HTTP 422")
        ]
        (listed,) = await endpoints.overview(bench.documents.conn)
        assert (listed.behind, listed.rejected, listed.failures) == (1, 1, 0)
        bench.receiver.answer = accepting
        await bench.documents.booking(7, booking_id(1), status="checked_in")
        await bench.idle()
    assert bench.receiver.types() == ["booking.updated"]
    assert len({received.webhook_id for received in bench.receiver.received[:6]}) == 1


async def test_what_was_refused_for_good_is_sent_again_at_a_word(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        bench.receiver.answer = refusing
        await bench.documents.booking(7, booking_id(1))
        await bench.receiver.until(lambda: len(bench.receiver.received) == 1)

        async def released() -> bool:
            return await bench.count("behind where token is null") == 1

        await eventually(released)
        await bench.documents.conn.execute("update booking_engine.behind set tries = 5, not_before = null")
        await bench.receiver.until(lambda: len(bench.receiver.received) == 2)

        async def refused() -> bool:
            return await bench.count("behind where rejected_at is not null") == 1

        await eventually(refused)
        bench.receiver.answer = accepting
        assert await ledger.retry(bench.documents.conn, Choice(endpoint="engine")) == 1
        await bench.idle()
    assert bench.receiver.types() == ["booking.created"]


async def test_a_rejected_key_holds_up_no_other(bench: Bench) -> None:
    await bench.endpoint(concurrency=1)

    async def picky(message: dict[str, Any]) -> int:
        return 400 if message["data"].get("booking_id") == booking_id(1) else 204

    bench.receiver.answer = picky
    async with bench.delivering():
        await bench.idle()
        for number in range(1, 6):
            await bench.documents.booking(7, booking_id(number))
        await bench.idle(rejected=1)
    assert len(bench.receiver.accepted) == 4
    assert await bench.rows("select id, tries from booking_engine.behind") == [(booking_id(1), 1)]


@pytest.mark.parametrize("guilty", [{3}, {0, 12}])
async def test_a_message_of_many_keys_is_split_down_to_the_guilty_ones(bench: Bench, guilty: set[int]) -> None:
    await bench.endpoint()
    for room_type in range(13):
        await bench.documents.availability(7, room_type, nights(DAY, [1, 2, 2]))

    async def picky(message: dict[str, Any]) -> int:
        said = {room_type["room_type_id"] for room_type in message["data"].get("room_types", ())}
        return 422 if said & guilty else 204

    bench.receiver.answer = picky
    async with bench.delivering():
        await bench.idle(rejected=len(guilty))
    accepted = [
        room_type["room_type_id"]
        for received in bench.receiver.accepted
        for room_type in received.data.get("room_types", ())
    ]
    assert sorted(accepted) == sorted(set(range(13)) - guilty)
    rows = await bench.rows("select id, tries, token from booking_engine.behind order by id::int")
    assert rows == [(str(room_type), 1, None) for room_type in sorted(guilty)]
    attempts = await bench.rows("select outcome, keys from booking_engine.attempt where outcome = 'rejected'")
    assert ("rejected", 13) in attempts
    assert attempts.count(("rejected", 1)) == len(guilty)


async def test_splitting_may_take_longer_than_a_lease(bench: Bench) -> None:
    for room_type in range(8):
        await bench.documents.availability(7, room_type, nights(DAY, [1, 2, 2]))
    # So many lanes that each worker's share claims all of them at once.
    await bench.endpoint(concurrency=100)

    gate = asyncio.Event()

    async def slow_and_picky(message: dict[str, Any]) -> int:
        if bench.receiver.begun == 2:
            await gate.wait()
        said = {room_type["room_type_id"] for room_type in message["data"]["room_types"]}
        return 422 if 5 in said else 204

    bench.receiver.answer = slow_and_picky
    timing = Timing(lease=3.0, send=30.0, connect=1.0, poll=0.1)
    async with bench.delivering(timing), bench.delivering(timing):
        await bench.receiver.until(lambda: bench.receiver.begun == 2)
        await bench.outlive(timing.lease, workers=2)
        gate.set()
        await bench.idle(rejected=1)
    assert [len(received.data["room_types"]) for received in bench.receiver.received] == [8, 4, 4, 2, 1, 1, 2]
