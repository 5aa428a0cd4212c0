"""New endpoints: everything once, in order, and nothing lost meanwhile."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from outbox import endpoints
from outbox.delivery import first_sync
from outbox.settings import EndpointError
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import DAY


async def small_world(documents: Documents, *hotels: int) -> None:
    """Hotels with a room type, a plan with rates, nights, two bookings, one of them our own, and a deleted one."""
    for hotel in hotels:
        await documents.booking(hotel, booking_id(hotel * 100 + 1))
        await documents.booking(hotel, booking_id(hotel * 100 + 2), own=True)
        await documents.booking(hotel, booking_id(hotel * 100 + 3))
        await documents.delete("booking", hotel, booking_id(hotel * 100 + 3))
        await documents.availability(hotel, hotel * 10 + 1, nights(DAY, [1, 1, 2]))
        await documents.rates(hotel, "1h")
        await documents.plan(hotel, "1h")
        await documents.room_type(hotel, hotel * 10 + 1)
        await documents.hotel(hotel)


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


async def test_adding_an_endpoint_waits_for_writers_and_so_loses_nothing(bench: Bench, ours: Database) -> None:
    async with await connect(ours.dsn, application="projector") as other:
        async with other.transaction():
            await Documents(other).booking(7, booking_id(1))
            adding = asyncio.create_task(bench.endpoint())
            await _waiting_for_the_list(other)
            assert not adding.done()
        await adding
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.types() == ["booking.created"]


async def test_without_the_lock_a_document_is_lost(bench: Bench, ours: Database) -> None:
    """The negative control of the test above: the same, but for the projector's lock."""
    async with await connect(ours.dsn, application="projector") as other, other.transaction():
        writer = Documents(other)
        await writer.write("booking", 7, booking_id(1), {"hotel_id": 7}, lock=False)
        await bench.endpoint()
        (row,) = await bench.rows("select id, fill_version from booking_engine.endpoint")
        assert await first_sync.fill(bench.pool, *row)
    assert await bench.rows("select body is not null from booking_engine.document") == [(True,)]
    assert await bench.count("behind") == 0, "nobody will ever tell the endpoint"


async def _waiting_for_the_list(conn: Any) -> None:
    """Wait until somebody wants the list of endpoints to himself."""

    async def check() -> bool:
        query = "select count(*) from pg_locks where not granted and mode = 'ExclusiveLock'"
        row = await (await conn.execute(query)).fetchone()
        return bool(row[0])

    await eventually(check)


async def test_endpoints_added_among_writers_end_equal_to_the_one_that_was_there(
    bench: Bench, ours: Database
) -> None:
    await bench.documents.hotel(7)
    async with bench.delivering():
        stop = asyncio.Event()

        async def write(first: int) -> None:
            async with await connect(ours.dsn, application="projector", lock_timeout="20s") as conn:
                documents, round_number = Documents(conn), 0
                while not stop.is_set():
                    round_number += 1
                    number = first + round_number % 20
                    await documents.booking(7, booking_id(number), number_of_people=round_number)
                    await documents.availability(7, first, nights(DAY, [round_number % 7, 1, round_number % 3]))

        async with asyncio.TaskGroup() as writers:
            for writer in range(2):
                writers.create_task(write(100 * (writer + 1)))
            for name in ("first", "second", "third"):
                await bench.endpoint(name, secret=bench.receiver._secret, url=f"{bench.receiver.url}?{name}")
                begun = bench.receiver.begun
                await bench.receiver.until(lambda begun=begun: bench.receiver.begun > begun + 30)  # type: ignore[misc]
            stop.set()
        await bench.idle()
    states = [_applied(bench, name) for name in ("first", "second", "third")]
    assert states[0] == states[1] == states[2]
    stored = await bench.rows("select id, version from booking_engine.document where kind = 'booking'")
    assert {key: version for key, (version, *_) in states[0].items() if isinstance(key, str)} == dict(stored)
    kept = await bench.rows("select room_type_id, date, occupied from booking_engine.availability")
    assert {(number, day.isoformat()): taken for number, day, taken in kept} == {
        key: said[1] for key, said in states[0].items() if isinstance(key, tuple)
    }


def _applied(bench: Bench, name: str) -> dict[Any, Any]:
    """What a receiver holds that applies what is not older than what it has."""
    held: dict[Any, Any] = {}
    for received in bench.receiver.accepted:
        if received.query != name:
            continue
        data = received.data
        if "booking_id" in data:
            _apply(held, data["booking_id"], (data["version"], data["number_of_people"]))
        for room_type in data.get("room_types", ()):
            for span in room_type["ranges"]:
                for day in _days(span["from"], span["until"]):
                    _apply(held, (room_type["room_type_id"], day), (room_type["version"], span["occupied"]))
    return {key: said if isinstance(key, str) else (0, said[1]) for key, said in held.items()}


def _apply(held: dict[Any, Any], key: Any, said: tuple[int, int]) -> None:
    if key not in held or held[key][0] <= said[0]:
        held[key] = said


def _days(first: str, until: str) -> list[str]:
    start = date.fromisoformat(first)
    return [(start + timedelta(days=n)).isoformat() for n in range((date.fromisoformat(until) - start).days)]


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
    assert [[day for span in spans for day in _days(span["from"], span["until"])] for spans in said] == [
        _days("2026-12-28", "2026-12-31"),
        ["2026-12-28"],
        _days("2026-12-28", "2026-12-31"),
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


async def test_a_hotel_that_went_while_an_endpoint_was_disabled_is_said_to_be_gone(bench: Bench) -> None:
    await bench.endpoint()
    await small_world(bench.documents, 7)
    async with bench.delivering():
        await bench.idle()
        await endpoints.disable(bench.documents.conn, "engine")
        await bench.documents.delete("hotel", 7, "")
        assert await bench.count("behind") == 0
        before = len(bench.receiver.accepted)
        await endpoints.enable(bench.documents.conn, "engine")
        await bench.idle()
    assert "hotel.deleted" in bench.receiver.types()[before:]


async def test_enabling_clears_what_was_left_of_former_times(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.booking(7, booking_id(1))
    async with bench.delivering():
        await bench.idle()
    await bench.documents.delete("booking", 7, booking_id(1))
    assert await bench.count("behind") == 1
    await endpoints.disable(bench.documents.conn, "engine")
    await endpoints.enable(bench.documents.conn, "engine")
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.types() == ["booking.created"]


async def test_removing_an_endpoint_leaves_nothing_of_it(bench: Bench) -> None:
    await bench.endpoint()
    await bench.documents.bookings(7, 50)
    await endpoints.remove(bench.documents.conn, "engine")
    assert await bench.count("endpoint") == await bench.count("behind") == 0
    with pytest.raises(EndpointError, match="no endpoint named 'engine'"):
        await endpoints.remove(bench.documents.conn, "engine")
