"""Endpoints that are asked to refresh their own caches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from aiohttp import web

from outbox import deliveries
from outbox.delivery import trial
from outbox.delivery.cache_refresh import CALLS
from outbox.keys import parse
from outbox.settings import EndpointError, Settings
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.support.servers import ON_PG18

"""Where the server makes no difference, one is enough."""
KEY = "Bearer engine-key"
TODAY = (datetime.now(UTC) + timedelta(hours=9)).date()


class Interface:
    """Notes the calls that it gets, and answers as it is told.

    Attributes:
        calls: name and body of each call that was answered with success.
        statuses: answered to the next calls, from the left.
        gate: calls wait for it.
        together: the largest number of calls that were under way at the same time.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.statuses: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.together = 0
        self._under_way = 0

    def names(self) -> list[str]:
        """The calls' names, in order."""
        return [name for name, _ in self.calls]

    async def handle(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        assert request.headers["authorization"] == KEY
        assert not [header for header in request.headers if header.lower().startswith("webhook-")]
        body = await request.json() if request.method == "POST" else None
        self._under_way += 1
        self.together = max(self.together, self._under_way)
        try:
            await self.gate.wait()
        finally:
            self._under_way -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.calls.append((name, body))
        return web.json_response({}, status=status)


@pytest.fixture
async def interface() -> AsyncIterator[tuple[Interface, str]]:
    found = Interface()
    application = web.Application()
    application.router.add_route("*", "/cache/{name}", found.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield found, f"http://127.0.0.1:{runner.addresses[0][1]}/cache"
    await runner.cleanup()


async def refreshed(bench: Bench, url: str, **wishes: Any) -> int:
    """Add such an endpoint."""
    given = {"url": url, "format": "cache-refresh", "headers": {"Authorization": KEY}} | wishes
    return await bench.endpoint("engine", **given)


@ON_PG18
async def test_a_first_sync_asks_for_everything_once(bench: Bench, interface: tuple[Interface, str]) -> None:
    engine, url = interface
    for hotel in (7, 8):
        await bench.documents.hotel(hotel)
        await bench.documents.room_type(hotel, 31)
        await bench.documents.plan(hotel, "1h")
        await bench.documents.booking(hotel, booking_id(hotel))
        await bench.documents.availability(hotel, 31, nights(TODAY - timedelta(days=1), [1] * 400))
    await refreshed(bench, url)
    async with bench.delivering():
        await bench.idle()
    assert sorted(engine.names()) == ["refresh-availability"] * 4 + ["update-hotels", "update-room-types"]
    spans = {(body["hotel_id"], body["start_date"], body["end_date"]) for _, body in engine.calls if body}
    middle, end = TODAY + timedelta(days=366), TODAY + timedelta(days=399)
    assert spans == {
        (hotel, *map(str, span)) for hotel in (7, 8) for span in ((TODAY, middle), (middle, end))
    }  # fmt: skip
    for key, name in (("hotel:7", "update-hotels"), ("availability:7:31", "refresh-availability")):
        told = await deliveries.story(bench.documents.conn, parse(key))
        assert [tried.type for tried in told.tried] == [name]


@ON_PG18
async def test_what_changes_while_it_is_away_is_asked_for_once(
    bench: Bench, interface: tuple[Interface, str]
) -> None:
    engine, url = interface
    await refreshed(bench, url)
    engine.statuses = [503] * 3
    async with bench.delivering():
        await bench.idle()
        for taken in range(1, 30):
            await bench.documents.availability(7, 31, nights(TODAY + timedelta(days=taken), [taken]))
            await bench.documents.hotel(7, name=f"{taken}")
        await bench.idle()
    days = [date.fromisoformat(body[key]) for name, body in engine.calls if name.startswith("refresh")
            for key in ("start_date", "end_date")]  # fmt: skip
    assert (min(days), max(days)) == (TODAY + timedelta(days=1), TODAY + timedelta(days=30))
    assert engine.statuses == []
    assert await bench.count("behind") == 0


@ON_PG18
async def test_both_pieces_of_a_long_span_must_be_taken(bench: Bench, interface: tuple[Interface, str]) -> None:
    engine, url = interface
    await bench.documents.availability(7, 31, nights(TODAY, [1] * 700))
    await refreshed(bench, url)
    engine.statuses = [200, 500]
    async with bench.delivering():
        await bench.idle()
    starts = [body["start_date"] for _, body in engine.calls]
    assert starts == [str(TODAY), str(TODAY), str(TODAY + timedelta(days=366))]


@ON_PG18
async def test_a_rejected_call_is_not_split_and_comes_again(bench: Bench, interface: tuple[Interface, str]) -> None:
    engine, url = interface
    for hotel in (7, 8, 9):
        await bench.documents.hotel(hotel)
    await refreshed(bench, url)
    engine.statuses = [422]
    async with bench.delivering():

        async def rejected() -> bool:
            return await bench.count("attempt where outcome = 'rejected'") == 1

        await eventually(rejected)
        assert await bench.rows("select keys from booking_engine.attempt order by at limit 1") == [(3,)]
        await bench.documents.conn.execute("update booking_engine.behind set not_before = now()")
        await bench.idle()
    assert engine.names() == ["update-hotels"]


@ON_PG18
@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_taken_is_an_outage(
    bench: Bench, interface: tuple[Interface, str], status: int
) -> None:
    engine, url = interface
    await bench.documents.hotel(7)
    await refreshed(bench, url)
    engine.statuses = [status]
    async with bench.delivering():
        await bench.idle()
    outcomes = "select outcome, status from booking_engine.attempt order by at"
    assert await bench.rows(outcomes) == [("outage", status), ("delivered", 200)]


class Slow(asyncio.Event):
    """Everybody waits at it for a while."""

    async def wait(self) -> Literal[True]:
        await asyncio.sleep(0.05)
        return True


@ON_PG18
async def test_one_call_is_made_at_a_time_whatever_the_number_of_workers(
    bench: Bench, interface: tuple[Interface, str]
) -> None:
    """Of two that fetch the same, the one that read first might write last."""
    engine, url = interface
    await refreshed(bench, url, concurrency=8)
    async with bench.delivering(), bench.delivering():
        await bench.idle()
        engine.gate = Slow()
        for hotel in range(7, 17):
            await bench.documents.hotel(hotel)
            await bench.documents.room_type(hotel, 1)
            await bench.documents.availability(hotel, 1, nights(TODAY, [1]))
            bench.wake.set()
        await bench.idle()
    assert engine.together == 1
    assert {name for name, body in engine.calls if body is not None} == set(CALLS.values())


@ON_PG18
async def test_its_heartbeat_asks_for_its_status(bench: Bench, interface: tuple[Interface, str]) -> None:
    engine, url = interface
    await refreshed(bench, url, heartbeat_seconds=1)

    async def asked() -> bool:
        return ("status", None) in engine.calls

    async with bench.delivering():
        await eventually(asked)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"headers": {}}, "Authorization: Bearer"),
        ({"url": "http://engine.example/cache/"}, "without a query"),
        ({"url": "http://engine.example/cache?key=1"}, "without a query"),
        ({"types": ["hotel", "booking"]}, "hotel, room_type, availability only"),
    ],
)
def test_what_cannot_be_such_an_endpoint(wishes: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"url": "http://engine.example/cache", "headers": {"Authorization": KEY}}
    with pytest.raises(EndpointError, match=said):
        Settings("engine", format="cache-refresh", **given | wishes)


@ON_PG18
async def test_trying_it_out_asks_whether_it_answers(bench: Bench, interface: tuple[Interface, str]) -> None:
    engine, url = interface
    await refreshed(bench, url)
    target = await trial.find(bench.documents.conn, "engine")
    assert target is not None
    attempt = (await trial.send(target, bench.outbound)).attempt
    assert (attempt.type, attempt.outcome, attempt.status) == ("status", "delivered", 200)
    assert engine.names() == ["status"]
