"""The demo's HTTP server takes what Roomwire signed, and nothing from other sites."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from deploy.demo.engine.receiving import Engine
from deploy.demo.website import Website, serving

SECRET = "whsec_" + "QUJD" * 11
HOTEL = {"hotel_id": 1, "name": "東雲ホテル", "formal_name": None, "address": None, "version": 1}
CLOSED = {"first": "0", "last": "f", "check_out_from": "2030-01-01", "ids": []}
SNAPSHOT = {"hotel_id": 1, "version": 1, "room_type_ids": [], "plan_keys": [], "bookings": CLOSED}


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    """Return a website that is being served."""
    site = Website(Engine(SECRET))
    async with serving(site, 0):
        yield site


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def send(
    http: aiohttp.ClientSession, site: Website, type_: str, data: dict[str, Any], secret: str = SECRET
) -> int:
    """Send a signed message; returns the answer's status."""
    now = datetime.now(UTC)
    body = json.dumps({"type": type_, "timestamp": now.isoformat(), "data": data})
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    async with http.post(site.webhook, data=body, headers=headers) as answer:
        return answer.status


async def state(http: aiohttp.ClientSession, site: Website) -> dict[str, Any]:
    async with http.get(f"{site.url}state") as answer:
        told: dict[str, Any] = await answer.json()
        return told


async def test_what_is_signed_is_applied(http: aiohttp.ClientSession, site: Website) -> None:
    assert await send(http, site, "hotel.updated", HOTEL) == 204
    told = await state(http, site)
    assert [hotel["name"] for hotel in told["hotels"]] == ["東雲ホテル"]
    assert (told["figures"]["received"], told["figures"]["verified"]) == (1, 1)


async def test_what_is_not_signed_is_refused_counted_and_explained(
    http: aiohttp.ClientSession, site: Website
) -> None:
    assert await send(http, site, "hotel.updated", HOTEL, secret="whsec_" + "REVG" * 11) == 401
    async with http.post(site.webhook, data=b"{}") as answer:
        assert answer.status == 401
    told = await state(http, site)
    assert told["hotels"] == []
    assert (told["figures"]["received"], told["figures"]["verified"], told["figures"]["refused"]) == (2, 0, 2)
    assert told["figures"]["refusal"]


async def test_news_is_told_once_the_first_sync_is_closed(http: aiohttp.ClientSession, site: Website) -> None:
    async with http.get(f"{site.url}events") as events:
        heard = (json.loads(line[6:]) async for line in events.content if line.startswith(b"data: "))
        assert (await anext(heard))["hotels"] == []
        room_type = {"hotel_id": 1, "room_type_id": 7, "name": "ツイン", "rooms": 2, "capacity": 2, "version": 1}
        await send(http, site, "hotel.updated", HOTEL)
        await send(http, site, "room_type.updated", room_type)
        await send(http, site, "hotel.snapshot", SNAPSHOT | {"room_type_ids": [7]})
        told = await anext(heard)
        while not told["figures"]["in_step"]:
            told = await anext(heard)
        assert told["figures"]["delay"]["count"] == 0, "the first sync is not news"
        day = told["nights"][0]
        span = {"from": day, "until": told["nights"][1], "sellable": 2, "occupied": 1, "available": 1}
        nights = {"room_type_id": 7, "version": 2, "ranges": [span]}
        await send(http, site, "availability.updated", {"hotel_id": 1, "room_types": [nights]})
        while told["kind"] != "nights":
            told = await anext(heard)
        assert told == {"kind": "nights", "hotel": 1, "room_types": {"7": {day: [2, 1]}}}
        while told["kind"] != "figures":
            told = await anext(heard)
        assert told["figures"]["delay"]["count"] == 1


@pytest.mark.parametrize(
    "headers", [{"origin": "https://elsewhere.example"}, {"host": "elsewhere.example"}, {"origin": "null"}]
)
async def test_another_sites_page_may_neither_read_nor_book(
    http: aiohttp.ClientSession, site: Website, headers: dict[str, str]
) -> None:
    async with http.get(f"{site.url}state", headers=headers) as answer:
        assert answer.status == 403
    async with http.post(f"{site.url}front-desk", json={}, headers=headers) as answer:
        assert answer.status == 403


async def test_a_booking_without_json_is_refused(http: aiohttp.ClientSession, site: Website) -> None:
    """A form of another site may post text without asking first, but no JSON."""
    async with http.post(f"{site.url}front-desk", data="{}", headers={"content-type": "text/plain"}) as answer:
        assert answer.status == 415


async def test_the_front_desk_is_closed_until_the_first_sync_is_done(
    http: aiohttp.ClientSession, site: Website
) -> None:
    wish = {"hotel": 1, "room_type": None, "check_in": (await state(http, site))["nights"][0], "nights": 1}
    async with http.post(f"{site.url}front-desk", json=wish) as answer:
        assert answer.status == 409
        assert "first sync" in (await answer.json())["error"]


async def test_the_page_loads_nothing_from_elsewhere(http: aiohttp.ClientSession, site: Website) -> None:
    async with http.get(site.url) as answer:
        assert answer.status == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        page = await answer.text()
    assert "http" not in page.replace("http-equiv", "")
    for path in ("style.css", "app.js", "calendar.js", "desk.js", "figures.js", "news.js", "words.js", "mark.svg"):
        async with http.get(f"{site.url}page/{path}") as answer:
            assert answer.status == 200


async def test_a_taken_port_gives_way_to_a_free_one(site: Website, capsys: pytest.CaptureFixture[str]) -> None:
    other = Website(Engine(SECRET))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(other, site.port))
        assert other.port not in {0, site.port}
    assert f"Port {site.port} is taken" in capsys.readouterr().out
