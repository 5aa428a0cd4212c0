"""An engine that keeps what it shows in caches, and offers the interface by which a PMS has them refreshed.

As the Next.js engine does: told to, it reads anew from the API. Nothing else ever changes what it shows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.support.truth import Night

_PREFIX = "/api/booking-engine/cache"


class CacheEngine:
    """The engine on a free port; an asynchronous context manager.

    Attributes:
        key: whoever calls the interface has to show this.
        hotels: by id, as the API tells them.
        room_types: by hotel and id.
        nights: rooms available, by hotel, room type and date.
        calls: how often each call was made and answered with success.
        asked: (start_date, end_date) of each refresh of availability.
        refusals: statuses that the next calls are answered with, one each; such a call changes nothing.
    """

    def __init__(self, key: str = "engine-key") -> None:
        self.key = key
        self.hotels: dict[int, dict[str, Any]] = {}
        self.room_types: dict[tuple[int, int], dict[str, Any]] = {}
        self.nights: dict[Night, int] = {}
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[date, date]] = []
        self.refusals: list[int] = []
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._api = ("", "")
        self._connected = asyncio.Event()

    def connect(self, api: str, key: str) -> None:
        """Tell it where Roomwire's API is, and the key for it; calls wait for that."""
        self._api = (api, key)
        self._connected.set()

    @property
    def url(self) -> str:
        """Where its cache interface is."""
        return f"http://127.0.0.1:{self._port}{_PREFIX}"

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._guarded])
        application.router.add_post(f"{_PREFIX}/update-hotels", self._update_hotels)
        application.router.add_post(f"{_PREFIX}/update-room-types", self._update_room_types)
        application.router.add_post(f"{_PREFIX}/refresh-availability", self._refresh_availability)
        application.router.add_get(f"{_PREFIX}/status", self._status)
        self._session = aiohttp.ClientSession()
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._runner.cleanup()
        await self._session.close()

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Invalid API key"}, status=401)
        if self.refusals:
            return web.json_response({"error": "not now"}, status=self.refusals.pop(0))
        answer = await handler(request)
        self.calls[request.path.rpartition("/")[2]] += 1
        return answer

    async def _update_hotels(self, request: web.Request) -> web.Response:
        await request.json()
        found = (await self._read("/hotels"))["hotels"]
        self.hotels = {hotel["hotel_id"]: hotel for hotel in found}
        return web.json_response({"status": "updated"})

    async def _update_room_types(self, request: web.Request) -> web.Response:
        await request.json()
        hotels = (await self._read("/hotels"))["hotels"]
        found = [await self._read(f"/room-types/{hotel['hotel_id']}") for hotel in hotels]
        self.room_types = {(one["hotel_id"], kind["id"]): kind for one in found for kind in one["room_types"]}
        return web.json_response({"status": "updated"})

    async def _refresh_availability(self, request: web.Request) -> web.Response:
        asked = await request.json()
        hotel, room_type = asked["hotel_id"], asked["room_type_id"]
        first, until = date.fromisoformat(asked["start_date"]), date.fromisoformat(asked["end_date"])
        self.asked.append((first, until))
        query = f"from={first}&to={until}&room_type_id={room_type}"
        calendar = await self._read(f"/availability/{hotel}?{query}")
        for one in calendar["room_types"]:
            for span in one["ranges"]:
                for day in days(span["from"], span["until"]):
                    self.nights[hotel, room_type, day] = span["available"]
        return web.json_response({"status": "refreshed"})

    async def _status(self, _request: web.Request) -> web.Response:
        now = datetime.now(UTC).isoformat()
        minutes = {"hotels": 1440, "room_types": 1440, "availability": 15}
        return web.json_response(
            {
                name: {"last_updated": now, "is_active": True, "cache_ttl_minutes": ttl}
                for name, ttl in minutes.items()
            }
        )

    async def _read(self, path: str) -> Any:
        """Read from the API; where that fails, the call fails with a 500, as the engine's do."""
        assert self._session is not None
        await self._connected.wait()
        base, key = self._api
        headers = {"authorization": f"Bearer {key}"}
        async with self._session.get(base + path, headers=headers) as response:
            if response.status != 200:
                raise web.HTTPInternalServerError(text=f"{path}: {response.status} {await response.text()}")
            return await response.json()


def days(first: str, until: str) -> list[str]:
    """The days of a range as messages and answers tell it, without the last."""
    start = date.fromisoformat(first)
    return [str(start + timedelta(days=n)) for n in range((date.fromisoformat(until) - start).days)]
