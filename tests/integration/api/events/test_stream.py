"""Following the feed as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from api.events import stream as following
from tests.integration.api.bookings.stays import HOTEL, asked, book, room_type
from tests.integration.api.events.reader import disown, number_all
from tests.support.api import Api
from tests.support.daemon import until

Frame = dict[str, str]


@asynccontextmanager
async def stream(api: Api, *, last: str | None = None, **params: Any) -> AsyncIterator[aiohttp.ClientResponse]:
    """A stream, as an EventSource opens it."""
    headers = {"Authorization": f"Bearer {api.mine}"} | ({"Last-Event-ID": last} if last else {})
    query = {name: str(value) for name, value in params.items()}
    async with api.http.get(f"{api.url}/events/stream", headers=headers, params=query) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield answer


async def frame(answer: aiohttp.ClientResponse) -> Frame:
    """The next frame: fields by name, a comment under none."""
    found: Frame = {}
    async with asyncio.timeout(30):
        while line := (await answer.content.readuntil(b"\n")).decode().rstrip("\n"):
            name, _, value = line.partition(": ") if not line.startswith(":") else ("", "", line[2:])
            found[name] = value
    return found


async def event(answer: aiohttp.ClientResponse) -> Frame:
    """The next frame that is an event."""
    while "event" not in (found := await frame(answer)):
        pass
    return found


async def rename(api: Api, name: str) -> None:
    """Change a hotel; the feed tells it once it is numbered."""
    await api.rows("update hotels set name = %s where id = %s returning id", name, HOTEL)
    await api.project()


async def test_what_changes_is_sent_as_it_happens_and_from_where_one_was_cut_off(api: Api) -> None:
    await number_all(api.database)
    head = await api.value("select max(position) from booking_engine.event")
    await rename(api, "あさひ")
    async with stream(api, after=head, types="hotel") as answer:
        assert await frame(answer) == {"retry": "1000"}
        pulse = await frame(answer)
        assert int(pulse["id"]) == head
        assert pulse[""].startswith("as of ")
        await number_all(api.database)
        told = await event(answer)
    assert told["event"] == "hotel.updated"
    assert orjson.loads(told["data"])["data"]["name"] == "あさひ"
    assert int(told["id"]) == orjson.loads(told["data"])["position"] > head
    await rename(api, "ゆうひ")
    await number_all(api.database)
    async with stream(api, last=told["id"], types="hotel") as answer:
        assert await frame(answer) == {"retry": "1000"}
        assert orjson.loads((await event(answer))["data"])["data"]["name"] == "ゆうひ"


async def test_a_booking_that_is_our_own_no_longer_is_withdrawn_as_it_happens(api: Api) -> None:
    number = (await book(api, asked(api, await room_type(api, rooms=1)))).body["booking_id"]
    await api.project()
    await number_all(api.database)
    async with stream(api, types="booking", bookings="own") as answer:
        made = await event(answer)
        await disown(api, number)
        gone = await event(answer)
    assert [made["event"], gone["event"]] == ["booking.created", "booking.deleted"]
    assert {orjson.loads(one["data"])["data"]["booking_id"] for one in (made, gone)} == {number}
    assert int(gone["id"]) > int(made["id"])


async def test_a_stream_ends_with_the_process(api: Api) -> None:
    await number_all(api.database)
    async with stream(api, types="hotel") as answer:
        assert "retry" in await frame(answer)
        await api.context.heads.close()
        async with asyncio.timeout(30):
            rest = await answer.content.read()
    assert rest.count(b"event: hotel.updated\n") == 2


async def test_a_reader_that_does_not_read_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "UNREAD", 0.2)
    # More than the sockets between server and client hold.
    await api.rows("update hotels set address = repeat('x', 20000000) where id = %s returning id", HOTEL)
    await api.project()
    await number_all(api.database)
    before = asyncio.all_tasks()
    async with stream(api, types="hotel") as answer:
        begun = asyncio.all_tasks() - before

        async def over() -> bool:
            return all(task.done() for task in begun)

        assert begun
        assert await until(over, 30), "nobody waits for him"
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()


async def test_asking_for_the_headers_only_ends_at_once(api: Api) -> None:
    answer = await api.call("HEAD", "/events/stream")
    assert (answer.status, answer.raw) == (200, b"")
    assert answer.headers["Content-Type"] == "text/event-stream"


async def test_an_id_that_is_none_of_ours_is_refused(api: Api) -> None:
    answer = await api.get("/events/stream", headers={"Last-Event-ID": "x"})
    assert (answer.code, answer.body["errors"][0]["in"]) == ("invalid_request", "header")
