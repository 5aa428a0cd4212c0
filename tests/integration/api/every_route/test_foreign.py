"""Whatever is another hotel's is not there, for any route."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from api.access.scopes import SCOPES
from api.app import ROUTES
from tests.integration.api.bookings.stays import HOTEL, elsewhere, written
from tests.integration.api.every_route.calls import OTHER, call_of, fields, routes
from tests.support.api import Api, same

OF_CLIENTS = {"user_id", "cursor"}
"""What belongs to the client, whatever its keys' hotels."""


async def theirs(api: Api) -> dict[str, Any]:
    """Something of the other hotel for each name under which a route asks for something of a hotel."""
    _, made, held = await elsewhere(api, OTHER)
    office = await api.key(client="office", scopes=SCOPES)
    wishes = {"hotels": [OTHER], "types": None, "bookings": "all", "guest_data": False, "max_bytes": 20_000}
    wishes |= {"concurrency": 8, "heartbeat_seconds": 0, "name": "theirs", "url": "http://127.0.0.1:9/"}
    added = await api.post("/endpoints", wishes, key=office)
    assert added.status == 201, added.body
    await api.desk.execute("update booking_engine.endpoint set fill_version = null")
    replay = await api.post("/replays", {"endpoint": "theirs"}, key=office)
    assert replay.status == 202, replay.body
    return {
        "hotel_id": OTHER,
        "hotels": [OTHER],
        "booking_id": made.body["booking_id"],
        "client_id": made.body["guest"]["client_id"],
        "hold_id": held.body["hold_id"],
        "name": "theirs",
        "endpoint": "theirs",
        "key": f"hotel:{OTHER}",
        "keys": [f"hotel:{OTHER}"],
        "replay_id": replay.body["replay_id"],
    }


def nobodys() -> dict[str, Any]:
    """The same of no hotel at all."""
    return {
        "hotel_id": 99,
        "hotels": [99],
        **{name: str(uuid4()) for name in ("booking_id", "client_id", "hold_id")},
        "name": "none",
        "endpoint": "none",
        "key": "hotel:99",
        "keys": ["hotel:99"],
        "replay_id": 999_999,
    }


NAMED_BY_OTHERS = {"addEndpoint": {"name"}, "linkUser": set[str]()}
"""Routes whose field of such a name names nothing that is there already."""


async def test_whatever_is_another_hotel_s_is_not_there_for_any_route(api: Api) -> None:
    foreign, absent = await theirs(api), nobodys()
    bound = await api.key(hotels=[HOTEL], scopes=SCOPES)
    office = await api.key(client="office", hotels=[HOTEL], scopes=SCOPES)
    before = await written(api)
    silent = set()
    for route in await routes(api):
        path, query, body = fields(route)
        assert path <= foreign.keys() | OF_CLIENTS, f"{route.name} asks for what is not known here"
        asked_for = ((path | query | body) & foreign.keys()) - NAMED_BY_OTHERS.get(route.name, set())
        if not asked_for:
            silent.add(route.name)
            continue
        # Things of administration are the client's who administrates, all others that of who books.
        for key in (bound, office):
            there = await call_of(api, route, {name: foreign[name] for name in asked_for}).make(api, route, key=key)
            nowhere = await call_of(api, route, {name: absent[name] for name in asked_for}).make(
                api, route, key=key
            )
            assert there.status == 404, (route.name, there.body)
            assert same(there, nowhere), (route.name, there.body, nowhere.body)
    assert await written(api) == before
    assert silent == {
        "listHotels", "validateToken", "listBookings", "listEndpoints", "listReplays", "listCursors", "readUser",
        "ackEvents", "removeCursor",
    }  # fmt: skip
    marks = [str(foreign[name]) for name in ("booking_id", "client_id", "hold_id")] + [
        "theirs",
        f'"hotel_id":{OTHER},',
    ]
    for name in (
        "listHotels",
        "listBookings",
        "listEndpoints",
        "listReplays",
        "readEvents",
        "readSnapshot",
        "listDeliveries",
    ):
        route = next(one for one in ROUTES if one.name == name)
        for key in (bound, office):
            answer = await call_of(api, route, {}).make(api, route, key=key)
            assert answer.status == 200, answer.body
            assert not [mark for mark in marks if mark in answer.raw.decode()], name
