"""A reader of the feed that keeps what it is told, as a booking engine does."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import orjson

from api.events.answers import EventsAnswer
from outbox.feed import Tail, maintain, number
from sql.pool import make_pool
from tests.support.api import Api
from tests.support.daemon import today
from tests.support.mirror import Mirror, differences
from tests.support.servers.databases import Database
from tests.support.truth import truth


async def number_all(database: Database) -> None:
    """Give a position to everything that waits for one."""
    async with make_pool(database.dsn, application="feed", size=2) as pool:
        await maintain(pool, days=7)
        tail = Tail()
        while await number(pool, tail):
            pass


async def disown(api: Api, number: str) -> None:
    """Staff change whose a booking is, and Roomwire's own note of it goes."""
    await api.rows("delete from booking_engine.booking_link where reservation_id = %s returning 1", number)
    await api.rows("update reservations set type = 'default', agent = null where id = %s returning id", number)
    await api.project()
    await number_all(api.database)


def keep(mirror: Mirror, message: dict[str, Any]) -> None:
    """Take in a message of the feed."""
    said = {name: message[name] for name in ("type", "timestamp", "data")}
    mirror.receive(hashlib.sha256(orjson.dumps([said["type"], said["data"]])).hexdigest(), said)


async def pull(api: Api, mirror: Mirror, after: int | str = 0, **wishes: Any) -> tuple[list[int], int]:
    """Read to the end; returns all positions of events, and where to read on."""
    positions: list[int] = []
    while True:
        answer = await api.get("/events", after=after, **wishes)
        assert answer.status == 200, answer.body
        EventsAnswer.model_validate_json(answer.raw)
        for event in answer.body["events"]:
            positions.append(event["position"])
            keep(mirror, event)
        end = int(answer.body["position"])
        assert end >= max(positions, default=0)
        if not answer.body["more"]:
            return positions, end
        after = end


async def wrong(api: Api, mirror: Mirror, **wishes: Any) -> list[str]:
    """What a mirror has otherwise than the PMS, and what it should not have been told."""
    expected = await asyncio.to_thread(truth, api.database.dsn, today())
    return [*map(str, mirror.violations), *differences(mirror, expected, **wishes)]
