"""Replays: what was delivered is sent again, by the road of everything else."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection

from outbox import endpoints, replay
from outbox.delivery import replaying
from outbox.replay import scope
from outbox.settings import EndpointError
from sql import replay as jobs
from sql.replay import Scope, mark, replays
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.world import small_world
from tests.unit.outbox.samples import DAY


async def replayed(bench: Bench, wanted: Scope) -> list[Any]:
    """What comes once a replay is through, in order; the worker runs."""
    before = len(bench.receiver.accepted)
    await replay.start(bench.documents.conn, "engine", wanted, reason="a test")

    async def done() -> bool:
        return await bench.count("replay where finished_at is null") == 0

    await eventually(done)
    await bench.idle()
    return bench.receiver.accepted[before:]


async def test_everything_is_sent_again_as_a_first_sync_sends_it(bench: Bench) -> None:
    await small_world(bench.documents, 7, 8)
    await bench.endpoint(concurrency=1)
    async with bench.delivering():
        await bench.idle()
        first = [(received.type, received.data) for received in bench.receiver.accepted]
        counted = await replay.count(bench.documents.conn, "engine", Scope())
        again = [(received.type, received.data) for received in await replayed(bench, Scope())]
    said = [one for one in again if one[0] != "hotel.snapshot"]
    assert said == [one for one in first if one[0] != "hotel.snapshot"]
    assert [kind for kind, _ in again[-2:]] == ["hotel.snapshot"] * 2, "and closed"
    assert counted == {"hotel": 2, "room_type": 2, "plan": 2, "rates": 2, "availability": 2, "booking": 4}
    (row,) = await replays(bench.documents.conn)
    assert (row.total, row.marked, row.note) == (14, 14, None)


@pytest.mark.parametrize(
    ("wanted", "kinds", "hotels"),
    [
        (scope([8], None, None), {"hotel", "room_type", "plan", "rates", "availability", "booking"}, {8}),
        (scope(None, ["booking"], None), {"booking"}, {7, 8}),
        (scope([7], ["plan", "rates"], None), {"plan", "rates"}, {7}),
    ],
)
async def test_a_part_is_sent_again_and_nothing_else(
    bench: Bench, wanted: Scope, kinds: set[str], hotels: set[int]
) -> None:
    await small_world(bench.documents, 7, 8)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        again = await replayed(bench, wanted)
    assert {one.data["hotel_id"] for one in again} == hotels
    assert {one.type.split(".")[0] for one in again if one.type != "hotel.snapshot"} == kinds
    assert sum(one.type == "hotel.snapshot" for one in again) == len(hotels)


@pytest.mark.parametrize("bookings", ["all", "own"])
async def test_what_is_counted_is_what_is_sent_whatever_is_asked_for(bench: Bench, bookings: str) -> None:
    """Each document once, though it is looked for in pages, by kind and hotel."""
    await small_world(bench.documents, 7, 8, 9)
    since = await bench.documents.value("select clock_timestamp()")
    await small_world(bench.documents, 9)
    await bench.endpoint(hotels=[7, 9], bookings=bookings, types=["hotel", "plan", "availability", "booking"])
    conn = bench.documents.conn
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    asked = [
        Scope(hotels, kinds, at)
        for hotels in (None, [9], [7, 8], [9, 9, 7])
        for kinds in (None, ["booking"], ["rates"], ["booking", "hotel", "availability"])
        for at in (None, since)
    ]
    for wanted in asked:
        await conn.execute("delete from booking_engine.behind")
        counted = await replay.count(conn, "engine", wanted)
        await replay.start(conn, "engine", wanted, reason="a test")
        while await replaying.mark(bench.pool, page=3):
            pass
        (row, *_) = await replays(conn, most=1)
        marks: dict[str, int] = dict(
            await (
                await conn.execute(
                    "select kind, count(*) from booking_engine.behind where kind <> 'snapshot' group by kind"
                )
            ).fetchall()
        )
        assert (row.total, row.marked) == (sum(counted.values()), sum(counted.values())), wanted
        assert marks == counted, wanted
    assert await replay.count(conn, "engine", Scope()) == {
        "hotel": 2,
        "plan": 2,
        "availability": 2,
        "booking": 4 if bookings == "all" else 2,
    }


async def test_what_was_our_own_at_that_time_is_not_on_the_list_that_closes_a_replay_of_later_changes(
    bench: Bench,
) -> None:
    """An engine that has lost what came since then knows it as it was, and is told of it no more."""
    await small_world(bench.documents, 7)
    await bench.endpoint(bookings="own")
    async with bench.delivering():
        await bench.idle()
        since = await bench.documents.value("select clock_timestamp()")
        await bench.documents.booking(7, booking_id(702), own=False)
        await bench.documents.booking(7, booking_id(704), own=True)
        await bench.idle()
        again = await replayed(bench, scope(None, None, since))
    assert [one.type for one in again] == ["booking.created", "hotel.snapshot"]
    assert again[-1].data["bookings"]["ids"] == [booking_id(704)]


async def test_what_changed_since_a_time_is_sent_again_deletions_too(bench: Bench) -> None:
    await small_world(bench.documents, 7)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        since = await bench.documents.value("select clock_timestamp()")
        await bench.documents.booking(7, booking_id(701), number_of_people=3)
        await bench.documents.booking(7, booking_id(704))
        await bench.documents.delete("booking", 7, booking_id(702))
        await bench.documents.availability(7, 71, nights(DAY, [4]))
        await bench.idle()
        again = await replayed(bench, scope(None, None, since))
    assert Counter(one.type for one in again) == Counter(
        ["booking.updated", "booking.created", "booking.deleted", "availability.updated"]
    )
    (nights_again,) = (one.data for one in again if one.type == "availability.updated")
    (span,) = nights_again["room_types"][0]["ranges"]
    assert (span["from"], span["occupied"]) == (DAY.isoformat(), 4), "only the night that changed"


async def test_what_vanishes_during_a_replay_is_said_to_be_gone(bench: Bench) -> None:
    await bench.documents.booking(7, booking_id(1))
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    conn = bench.documents.conn
    await replay.start(conn, "engine", scope([7], ["booking"], None), reason="a test")
    assert await replaying.mark(bench.pool)
    await bench.documents.delete("booking", 7, booking_id(1))
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.types() == ["booking.created", "booking.deleted"]


async def test_a_replay_goes_on_where_a_worker_that_died_left_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.documents.hotel(7)
    await bench.documents.bookings(7, 50)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    conn = bench.documents.conn
    await replay.start(conn, "engine", Scope(), reason="a test")

    class KilledError(Exception):
        pass

    real, pages = mark, 0

    async def kill(conn: AsyncConnection, replay_id: int, size: int) -> int:
        nonlocal pages
        pages += 1
        looked = await real(conn, replay_id, size)
        if pages == 3:
            raise KilledError
        return looked

    monkeypatch.setattr("sql.replay.mark", kill)
    for _ in range(2):
        assert await replaying.mark(bench.pool, page=10)
    with pytest.raises(KilledError):
        await replaying.mark(bench.pool, page=10)
    monkeypatch.undo()
    (row,) = await replays(conn)
    assert (row.marked, await bench.count("behind")) == (20, 20), "a page is there whole, or not at all"
    looks = [await replaying.mark(bench.pool, page=10) for _ in range(5)]
    assert looks == [True, True, True, True, False]
    (row,) = await replays(conn)
    assert (row.marked, row.total) == (51, 51)
    assert row.finished_at is not None
    before = len(bench.receiver.accepted)
    async with bench.delivering():
        await bench.idle()
    assert sorted(one.type for one in bench.receiver.accepted[before:]) == (
        ["booking.created"] * 50 + ["hotel.snapshot", "hotel.updated"]
    )


async def test_two_workers_share_replays(bench: Bench) -> None:
    await bench.documents.bookings(7, 200)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    conn = bench.documents.conn
    for _ in range(2):
        await replay.start(conn, "engine", Scope(), reason="a test")

    async def work() -> None:
        while await replaying.mark(bench.pool, page=10):
            pass

    await asyncio.gather(*(work() for _ in range(3)))
    assert [(row.marked, row.finished_at is not None) for row in await replays(conn)] == [(200, True)] * 2
    assert await bench.count("behind") == 200


async def test_a_replay_waits_until_the_pms_has_been_read(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    conn = bench.documents.conn
    await replay.start(conn, "engine", Scope(), reason="a test")
    await conn.execute("insert into booking_engine.dirty_scope (kind, reason) values ('booking', 'a test')")
    assert not await replaying.mark(bench.pool)
    await conn.execute("delete from booking_engine.dirty_scope")
    assert await replaying.mark(bench.pool)


async def test_a_first_sync_takes_the_place_of_a_replay(bench: Bench) -> None:
    await bench.documents.hotel(7)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    conn = bench.documents.conn
    await replay.start(conn, "engine", Scope(), reason="a test")
    await endpoints.disable(conn, "engine")
    assert await replaying.mark(bench.pool)
    (row,) = await replays(conn)
    assert (row.marked, row.note) == (0, "a first sync sends everything instead")
    with pytest.raises(EndpointError, match="enabling"):
        await replay.start(conn, "engine", Scope(), reason="a test")
    await endpoints.enable(conn, "engine")
    with pytest.raises(EndpointError, match="about to be sent everything"):
        await replay.count(conn, "engine", Scope())
    with pytest.raises(EndpointError, match="no endpoint named"):
        await replay.count(conn, "nobody", Scope())


async def test_replays_of_long_ago_are_forgotten(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    conn = bench.documents.conn
    await replay.start(conn, "engine", Scope(), reason="old")
    await replaying.mark(bench.pool)
    await conn.execute("update booking_engine.replay set finished_at = now() - interval '31 days'")
    await replay.start(conn, "engine", Scope(), reason="new")
    await replaying.mark(bench.pool)
    assert [row.reason for row in await replays(conn)] == ["new"]


async def test_documents_of_a_kind_are_counted_so_far_and_no_further(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_COUNTED", 4)
    conn = bench.documents.conn
    await bench.endpoint()
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.hotel(7)
    await bench.documents.bookings(7, 3)
    assert (await replay.start(conn, "engine", Scope(), reason="all are counted")).total == 4
    await bench.documents.bookings(7, 3, first=3)
    assert await replay.count(conn, "engine", Scope()) == {"booking": 4, "hotel": 1}
    assert (await replay.start(conn, "engine", Scope(), reason="too many")).total is None


def test_an_impossible_replay_is_refused() -> None:
    with pytest.raises(EndpointError, match="the kinds are"):
        scope(None, ["snapshot"], None)
    with pytest.raises(EndpointError, match="zone"):
        scope(None, None, datetime(2026, 11, 23))
    assert scope([8, 7, 8], [], datetime.now(UTC) - timedelta(days=1)).hotels == [7, 8]
