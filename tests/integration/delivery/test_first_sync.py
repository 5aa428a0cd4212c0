"""New endpoints: everything once, in order, and nothing lost meanwhile."""

import asyncio
from typing import Any

import pytest

from outbox import endpoints
from outbox.delivery import first_sync
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.world import small_world
from tests.support.cache_engine import days
from tests.unit.outbox.samples import DAY


def by_hotel(bench: Bench, hotel: int) -> list[str]:
    return [received.type for received in bench.receiver.accepted if received.data["hotel_id"] == hotel]


async def test_a_new_endpoint_gets_everything_in_order_and_a_snapshot_at_the_end(bench: Bench) -> None:
    await small_world(bench.documents, 7, 8)
    await bench.endpoint(concurrency=1)
    async with bench.delivering():
        await bench.idle()
    for hotel in (7, 8):
        assert by_hotel(bench, hotel) == [
            "hotel.updated",
            "room_type.updated",
            "plan.updated",
            "rates.updated",
            "availability.updated",
            "booking.created",
            "booking.created",
            "hotel.snapshot",
        ]
    order = [received.type for received in bench.receiver.accepted]
    assert order.index("room_type.updated") > max(i for i, kind in enumerate(order) if kind == "hotel.updated")
    closing = next(
        r.data for r in bench.receiver.accepted if r.type == "hotel.snapshot" and r.data["hotel_id"] == 7
    )
    assert closing["room_type_ids"] == [71]
    assert closing["plan_keys"] == ["1h"]
    assert closing["bookings"]["ids"] == sorted([booking_id(701), booking_id(702)])
    versions = [
        r.data["version"] for r in bench.receiver.accepted if "version" in r.data and r.type != "hotel.snapshot"
    ]
    assert all(closing["version"] >= version for version in versions)


async def test_a_snapshot_waits_for_everything_before_it(bench: Bench) -> None:
    await small_world(bench.documents, 7, 8)
    open_now = asyncio.Event()

    async def holding(message: dict[str, Any]) -> int:
        if message["data"].get("booking_id") == booking_id(701):
            await open_now.wait()
        return 204

    bench.receiver.answer = holding
    await bench.endpoint()
    async with bench.delivering():
        await bench.receiver.until(lambda: "hotel.snapshot" in by_hotel(bench, 8))
        assert "hotel.snapshot" not in by_hotel(bench, 7)
        open_now.set()
        await bench.idle()
    assert by_hotel(bench, 7)[-1] == "hotel.snapshot"


@pytest.mark.parametrize(
    ("wishes", "numbers"),
    [
        ({"hotels": [8]}, {801, 802, 804, 805}),
        ({"bookings": "own"}, {702, 705, 802, 805}),
        ({"hotels": [7], "bookings": "own"}, {702, 705}),
    ],
)
async def test_an_endpoint_gets_what_it_subscribes_to_and_nothing_else(
    bench: Bench, wishes: dict[str, Any], numbers: set[int]
) -> None:
    await small_world(bench.documents, 7, 8)
    await bench.endpoint(**wishes)
    at_first = {booking_id(number) for number in numbers if number % 100 < 4}
    async with bench.delivering():
        await bench.idle()
        assert {r.data["booking_id"] for r in bench.receiver.accepted if "booking_id" in r.data} == at_first
        snapshots = [received.data for received in bench.receiver.accepted if received.type == "hotel.snapshot"]
        assert {number for data in snapshots for number in data["bookings"]["ids"]} == at_first
        assert {received.data["hotel_id"] for received in bench.receiver.accepted} <= set(
            wishes.get("hotels", [7, 8])
        )
        before = len(bench.receiver.accepted)
        for hotel in (7, 8):
            await bench.documents.booking(hotel, booking_id(hotel * 100 + 4))
            await bench.documents.booking(hotel, booking_id(hotel * 100 + 5), own=True)
        await bench.idle()
    later = {received.data["booking_id"] for received in bench.receiver.accepted[before:]}
    assert later == {booking_id(number) for number in numbers} - at_first


async def test_many_bookings_are_listed_in_sixteen_snapshots(bench: Bench) -> None:
    await bench.documents.hotel(7)
    await bench.documents.room_type(7, 71)
    await bench.documents.bookings(7, 4_001)
    await bench.endpoint(hotels=[7])
    filled = await bench.rows("select id, fill_version from booking_engine.endpoint")
    assert await first_sync.fill(bench.pool, *filled[0])
    await bench.documents.conn.execute("delete from booking_engine.behind where kind <> 'snapshot'")
    async with bench.delivering():
        await bench.idle()
    snapshots = [received.data for received in bench.receiver.accepted]
    assert sorted(data["bookings"]["first"] + data["bookings"]["last"] for data in snapshots) == [
        digit * 2 for digit in "0123456789abcdef"
    ]
    assert [data["room_type_ids"] for data in snapshots if data["room_type_ids"] is not None] == [[71]]
    for data in snapshots:
        assert {number[0] for number in data["bookings"]["ids"]} == {data["bookings"]["first"]}
    assert sum(len(data["bookings"]["ids"]) for data in snapshots) == 4_001
    assert max(len(received.raw) for received in bench.receiver.accepted) < 200_000


async def test_bookings_that_ended_before_the_window_are_left_alone(bench: Bench) -> None:
    """On the calendar of the horizon, which the database's clock need not share."""
    await bench.documents.conn.execute(
        "insert into booking_engine.checkpoint (slot, system_id, timeline, end_lsn, horizon)"
        " values ('roomwire', '1', 1, '0/0', '2026-12-30')"
    )
    await bench.documents.hotel(7)
    for number, check_out in enumerate(("2026-11-29", "2026-11-30")):
        await bench.documents.booking(7, booking_id(number), check_out=check_out)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    assert [r.data["booking_id"] for r in bench.receiver.accepted if "booking_id" in r.data] == [booking_id(1)]
    (closing,) = [received.data for received in bench.receiver.accepted if received.type == "hotel.snapshot"]
    assert (closing["bookings"]["check_out_from"], closing["bookings"]["ids"]) == ("2026-11-30", [booking_id(1)])


async def test_a_first_sync_that_was_interrupted_is_done_by_the_next_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.documents.hotel(7)
    await bench.documents.bookings(7, 50)
    await bench.endpoint()
    (row,) = await bench.rows("select id, fill_version from booking_engine.endpoint")

    class KilledError(Exception):
        pass

    async def kill(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr("sql.endpoints.close", kill)
    with pytest.raises(KilledError):
        await first_sync.fill(bench.pool, *row, page=10)
    monkeypatch.undo()
    assert await bench.count("behind") > 0
    async with bench.delivering():
        await bench.idle()
    assert sorted(bench.receiver.types()) == ["booking.created"] * 50 + ["hotel.snapshot", "hotel.updated"]


async def test_two_workers_mark_a_first_sync_once(bench: Bench) -> None:
    await bench.documents.hotel(7)
    await bench.documents.bookings(7, 200)
    await bench.endpoint()
    (row,) = await bench.rows("select id, fill_version from booking_engine.endpoint")
    done = await asyncio.gather(*(first_sync.fill(bench.pool, *row, page=20) for _ in range(3)))
    assert any(done)
    assert await bench.count("behind") == 202
    assert await first_sync.fill(bench.pool, *row) is False


async def test_a_send_in_flight_cannot_acknowledge_what_a_new_first_sync_asks_for(bench: Bench) -> None:
    """Enabling again means: it may have lost everything, also what it is being sent at this moment.

    Nor is anything sent beside it: of two sends of one key the older could come last.
    """
    await bench.endpoint(concurrency=2)
    gate, begun = asyncio.Event(), list[str]()

    async def hold(message: dict[str, Any]) -> int:
        begun.append(message["type"])
        if begun[-1] == "availability.updated":
            await gate.wait()
        return 204

    async with bench.delivering():
        await bench.idle()
        await bench.documents.availability(7, 71, nights(DAY, [1, 2, 3]))
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
        bench.receiver.answer = hold
        await bench.documents.availability(7, 71, nights(DAY, [5]))
        await bench.receiver.until(lambda: len(begun) == 1)
        await endpoints.enable(bench.documents.conn, "engine")
        await bench.receiver.until(lambda: len(begun) == 2)
        assert begun == ["availability.updated", "booking.created"], "the one in flight stands before it"
        gate.set()
        await bench.idle()
    told = [received.data for received in bench.receiver.accepted if received.type == "availability.updated"]
    said = [data["room_types"][0]["ranges"] for data in told]
    assert [[day for span in spans for day in days(span["from"], span["until"])] for spans in said] == [
        days("2026-12-28", "2026-12-31"),
        ["2026-12-28"],
        days("2026-12-28", "2026-12-31"),
    ]


async def test_what_changes_before_the_first_sync_is_marked_is_still_sent_whole(bench: Bench) -> None:
    """Its writer took the endpoint for one that had everything."""
    conn = bench.documents.conn
    await bench.documents.availability(7, 71, nights(DAY, [1, 2, 3]))
    async with conn.transaction():
        await bench.endpoint()
        await bench.documents.availability(7, 71, nights(DAY, [5]))
    async with bench.delivering():
        await bench.idle()
    (received,) = bench.receiver.accepted
    assert [span["occupied"] for span in received.data["room_types"][0]["ranges"]] == [5, 2, 3]


async def test_nor_does_a_send_in_flight_acknowledge_what_changes_before_that(bench: Bench) -> None:
    await bench.documents.booking(7, booking_id(1))
    await bench.endpoint(concurrency=2)
    gate, begun = asyncio.Event(), list[str]()

    async def hold(message: dict[str, Any]) -> int:
        begun.append(message["type"])
        if begun[-1] == "availability.updated":
            await gate.wait()
        return 204

    async with bench.delivering():
        await bench.idle()
        bench.receiver.answer = hold
        await bench.documents.availability(7, 71, nights(DAY, [1, 2, 3]))
        await bench.receiver.until(lambda: len(begun) == 1)
        async with bench.documents.conn.transaction():
            await endpoints.enable(bench.documents.conn, "engine")
            await bench.documents.availability(7, 71, nights(DAY, [5]))
        await bench.receiver.until(lambda: len(begun) == 2)
        assert begun == ["availability.updated", "booking.created"], "the one in flight stands before it"
        gate.set()
        await bench.idle()
    last = bench.receiver.accepted[-1].data["room_types"][0]["ranges"]
    assert [span["occupied"] for span in last] == [5, 2, 3]
