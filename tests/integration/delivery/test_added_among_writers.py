"""Endpoints that are added while documents are written."""

import asyncio
from typing import Any

from outbox.delivery import first_sync
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.support.cache_engine import days
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import DAY


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
                for day in days(span["from"], span["until"]):
                    _apply(held, (room_type["room_type_id"], day), (room_type["version"], span["occupied"]))
    return {key: said if isinstance(key, str) else (0, said[1]) for key, said in held.items()}


def _apply(held: dict[Any, Any], key: Any, said: tuple[int, int]) -> None:
    if key not in held or held[key][0] <= said[0]:
        held[key] = said
