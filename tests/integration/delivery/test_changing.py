"""Endpoints that are changed: told of more, of less, or otherwise."""

import asyncio
from typing import Any

import pytest

from outbox import changing, endpoints
from outbox.changing import OvertakenError
from outbox.settings import EndpointError
from sql import control
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id
from tests.integration.delivery.world import small_world
from tests.support.servers.databases import Database


async def changed(bench: Bench, **wishes: Any) -> list[Any]:
    """What comes of a change, in order; the worker runs."""
    before = len(bench.receiver.accepted)
    await changing.change(bench.documents.conn, "engine", wishes, bench.outbound)

    async def done() -> bool:
        return await bench.count("replay where finished_at is null") == 0

    await eventually(done)
    await bench.idle()
    return bench.receiver.accepted[before:]


@pytest.mark.parametrize(
    ("was", "wishes", "types", "hotels"),
    [
        (
            {"hotels": [7]},
            {"hotels": [7, 8]},
            {"hotel", "room_type", "plan", "rates", "availability", "booking"},
            {8},
        ),
        (
            {"hotels": [7]},
            {"hotels": None},
            {"hotel", "room_type", "plan", "rates", "availability", "booking"},
            {8},
        ),
        ({"types": ["plan"]}, {"types": ["plan", "booking"]}, {"booking"}, {7, 8}),
        ({"types": ["booking", "plan"]}, {"types": None}, {"hotel", "room_type", "rates", "availability"}, {7, 8}),
        ({"bookings": "own"}, {"bookings": "all"}, {"booking"}, {7, 8}),
        ({"guest_data": False}, {"guest_data": True}, {"booking"}, {7, 8}),
        ({"types": ["plan"], "bookings": "own"}, {"bookings": "all", "guest_data": True}, set(), set()),
        ({}, {"url": None, "max_bytes": 5_000, "concurrency": 1, "heartbeat_seconds": 0}, set(), set()),
    ],
)
async def test_what_it_is_told_of_more_is_sent_and_nothing_else(
    bench: Bench, was: dict[str, Any], wishes: dict[str, Any], types: set[str], hotels: set[int]
) -> None:
    await small_world(bench.documents, 7, 8)
    await bench.endpoint(**was)
    if "url" in wishes:
        wishes = wishes | {"url": f"{bench.receiver.url}?moved"}
    async with bench.delivering():
        await bench.idle()
        came = await changed(bench, **wishes)
        assert {one.type.split(".")[0] for one in came if one.type != "hotel.snapshot"} == types
        assert {one.data["hotel_id"] for one in came} == hotels
        assert {one.data["hotel_id"] for one in came if one.type == "hotel.snapshot"} == hotels, "and closed"
        # What changes from now on goes by the new wishes.
        await bench.documents.booking(8, booking_id(809))
        await bench.idle()
    after = bench.receiver.accepted[-1]
    told = "booking" in (wishes.get("types", was.get("types")) or ["booking"])
    if told and wishes.get("bookings", "all") == "all":
        assert after.data.get("booking_id") == booking_id(809)
        assert (after.data["guest"] is not None) == wishes.get("guest_data", False)
    if "url" in wishes:
        assert after.query == "moved"


async def test_what_it_is_told_of_no_more_leaves_the_queue(bench: Bench) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    await small_world(bench.documents, 7, 8)
    conn = bench.documents.conn
    marked = await bench.count("behind")
    found = await changing.change(conn, "engine", {"hotels": [7]}, bench.outbound)
    assert found.withdrawn == marked - await bench.count("behind where hotel_id = 7") > 0
    await changing.change(conn, "engine", {"types": ["booking", "plan"]}, bench.outbound)
    assert {row[0] for row in await bench.rows("select kind from booking_engine.behind")} == {"booking", "plan"}
    await changing.change(conn, "engine", {"bookings": "own"}, bench.outbound)
    async with bench.delivering():
        await bench.idle()
    told = {one.data.get("booking_id", "plan") for one in bench.receiver.accepted}
    assert told == {"plan", booking_id(702)}


async def test_a_first_sync_that_is_due_goes_by_the_new_wishes(bench: Bench) -> None:
    await small_world(bench.documents, 7, 8)
    await bench.endpoint(hotels=[7])
    found = await changing.change(bench.documents.conn, "engine", {"hotels": [8]}, bench.outbound)
    assert (found.endpoint.filling, found.widened) == (True, [])
    async with bench.delivering():
        await bench.idle()
    assert {one.data["hotel_id"] for one in bench.receiver.accepted} == {8}
    assert bench.receiver.types().count("hotel.snapshot") == 1


async def test_one_that_is_disabled_is_sent_nothing_by_a_change(bench: Bench) -> None:
    conn = bench.documents.conn
    await small_world(bench.documents, 7, 8)
    await bench.endpoint(hotels=[7])
    await endpoints.disable(conn, "engine")
    await changing.change(conn, "engine", {"hotels": None}, bench.outbound)
    assert await bench.count("replay") == await bench.count("behind") == 0
    await endpoints.enable(conn, "engine")
    async with bench.delivering():
        await bench.idle()
    assert {one.data["hotel_id"] for one in bench.receiver.accepted} == {7, 8}


async def test_what_cannot_be_is_refused_and_changes_nothing(bench: Bench) -> None:
    conn = bench.documents.conn
    await bench.endpoint()
    before = await control.find(conn, "engine")
    assert before is not None
    for wishes, said in (({"types": ["nights"]}, "types among"), ({"hotels": []}, "hotel"), ({"url": "x"}, "url")):
        with pytest.raises(EndpointError, match=said):
            await changing.change(conn, "engine", wishes, bench.outbound)
    with pytest.raises(EndpointError, match="no endpoint named"):
        await changing.change(conn, "nobody", {}, bench.outbound)
    assert await control.find(conn, "engine") == before


async def test_widening_among_writers_loses_nothing(bench: Bench, ours: Database) -> None:
    """The one that is widened ends with what the one has that was told of everything from the beginning."""
    conn = bench.documents.conn
    for hotel in (7, 8):
        await bench.documents.hotel(hotel)
        await bench.documents.bookings(hotel, 50, first=hotel * 100)
    for name, hotels in (("all", None), ("widened", [8])):
        await bench.endpoint(name, url=f"{bench.receiver.url}?{name}", hotels=hotels)
    async with bench.delivering():
        await bench.idle()
        stop = asyncio.Event()

        async def write(first: int) -> None:
            async with await connect(ours.dsn, application="projector", lock_timeout="20s") as other:
                documents, number = Documents(other), 0
                while not stop.is_set():
                    number += 1
                    await documents.booking(7, booking_id(first + number % 20), number_of_people=number)
                    await documents.delete("booking", 7, booking_id(first + 20 + number % 5))

        async with asyncio.TaskGroup() as writers:
            for writer in range(2):
                writers.create_task(write(1000 * (writer + 1)))
            begun = bench.receiver.begun
            await bench.receiver.until(lambda: bench.receiver.begun > begun + 30)
            await changing.change(conn, "widened", {"hotels": None}, bench.outbound)
            begun = bench.receiver.begun
            await bench.receiver.until(lambda: bench.receiver.begun > begun + 60)
            stop.set()

        async def done() -> bool:
            return await bench.count("replay where finished_at is null") == 0

        await eventually(done)
        await bench.idle()
    live = await bench.rows(
        "select id, version from booking_engine.document"
        " where kind = 'booking' and hotel_id = 7 and body is not null"
    )
    assert held(bench, "widened") == held(bench, "all") == dict(live)


def held(bench: Bench, name: str) -> dict[str, int]:
    """Booking → version, at a receiver that applies what is newer, of hotel 7 without what is gone."""
    versions: dict[str, int] = {}
    there: set[str] = set()
    for received in bench.receiver.accepted:
        data = received.data
        if received.query != name or data["hotel_id"] != 7:
            continue
        if received.type == "hotel.snapshot":
            for number in [one for one, version in versions.items() if version <= data["version"]]:
                if number not in data["bookings"]["ids"]:
                    versions[number] = data["version"]
                    there.discard(number)
        elif "booking_id" in data and versions.get(data["booking_id"], 0) <= data["version"]:
            versions[data["booking_id"]] = data["version"]
            (there.discard if received.type == "booking.deleted" else there.add)(data["booking_id"])
    return {number: versions[number] for number in there}


async def test_headers_are_never_told_to_another_host(bench: Bench) -> None:
    """Whoever may change where it is would otherwise learn what the one before was told in confidence."""
    conn, key = bench.documents.conn, {"X-Key": "s3cret-of-the-old-one"}
    await bench.endpoint(headers=key)
    before = await control.find(conn, "engine")
    port = bench.receiver.port
    for elsewhere in (
        f"http://127.0.0.2:{port}/hook",
        f"http://127.0.0.1:{port + 1}/hook",
        "https://127.0.0.1/hook",
    ):
        with pytest.raises(EndpointError, match=r"X-Key.*leads elsewhere.*anew") as refused:
            await changing.change(conn, "engine", {"url": elsewhere}, bench.outbound)
        assert "s3cret" not in str(refused.value)
    assert await control.find(conn, "engine") == before
    moved = {"url": f"http://127.0.0.1:{port}/other?path"}
    assert (await changing.change(conn, "engine", moved, bench.outbound)).endpoint.headers.keys() == key.keys()
    for headers in ({"X-Other": "of the new one"}, {}):
        anew = {"url": f"http://127.0.0.{3 + len(headers)}:{port}/hook", "headers": headers}
        found = (await changing.change(conn, "engine", anew, bench.outbound)).endpoint
        assert found.headers.keys() == headers.keys()
    nothing = {"url": f"http://127.0.0.9:{port}/hook"}
    await changing.change(conn, "engine", nothing, bench.outbound)


async def test_a_change_that_expects_an_endpoint_as_it_was_is_refused(bench: Bench) -> None:
    conn = bench.documents.conn
    await bench.endpoint()
    before = await control.find(conn, "engine")
    assert before is not None
    async with conn.transaction():
        begun = await changing.begin(conn, "engine", {"concurrency": 2}, bench.outbound, expected=[before.revision])
    assert begun.endpoint.revision > before.revision
    with pytest.raises(OvertakenError, match="was changed since"):
        async with conn.transaction():
            await changing.begin(conn, "engine", {"concurrency": 3}, bench.outbound, expected=[before.revision])
    now = await control.find(conn, "engine")
    assert now == begun.endpoint
