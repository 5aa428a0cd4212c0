"""Pulling the feed: everything once, only what the key may know, and a cursor that is kept."""

from __future__ import annotations

import asyncio

from tests.integration.api.bookings.stays import FAR, HOTEL, asked, book, room_type
from tests.integration.api.events.reader import disown, number_all, pull, wrong
from tests.support.api import Api
from tests.support.daemon import until
from tests.support.mirror import Mirror

GUEST = "山田 花子"


async def test_reading_from_the_beginning_tells_everything_once(api: Api) -> None:
    await number_all(api.database)
    mirror = Mirror()
    positions, end = await pull(api, mirror, limit=50)
    assert positions == sorted(set(positions))
    assert len(positions) == await api.value("select count(*) from booking_engine.document where version > 0")
    assert await wrong(api, mirror) == []
    assert mirror.stale == 0
    assert await pull(api, mirror, after=end) == ([], end)


async def test_what_changes_is_told_from_where_one_was(api: Api) -> None:
    await number_all(api.database)
    mirror = Mirror()
    _, end = await pull(api, mirror)
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    await api.project()
    await number_all(api.database)
    answer = await api.get("/events", after=end)
    told = [event for event in answer.body["events"] if event["type"].startswith("booking.")]
    assert [(one["type"], one["data"]["booking_id"]) for one in told] == [
        ("booking.created", made.body["booking_id"])
    ]
    (nights,) = [
        one["data"]["room_types"][0]["ranges"]
        for one in answer.body["events"]
        if one["type"] == "availability.updated" and one["data"]["room_types"][0]["ranges"][0]["occupied"] == 1
    ]
    assert [(one["from"], one["until"]) for one in nights] == [(str(api.day(FAR)), str(api.day(FAR + 2)))]
    await pull(api, mirror, after=end)
    assert await wrong(api, mirror) == []


async def test_of_versions_that_follow_one_another_the_last_is_told(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    await number_all(api.database)
    await api.rows("update reservations set comment = 'staff' where id = %s returning id", made.body["booking_id"])
    await api.project()
    await number_all(api.database)
    living = await api.value("select count(*) from booking_engine.document where kind = 'booking' and version > 0")
    assert await api.value("select count(*) from booking_engine.event where kind = 'booking'") == living + 1

    async def told() -> bool:
        mirror = Mirror()
        positions, _ = await pull(api, mirror, types="booking")
        # What changed within this second is told by its older event, too.
        assert len(positions) in {living, living + 1}
        return len(positions) == int(living)

    assert await until(told, 30)


async def test_what_changes_all_the_time_is_told_all_the_same(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    await number_all(api.database)
    await api.rows(
        "update booking_engine.document set version = version + 3600000000 where id = %s returning id",
        made.body["booking_id"],
    )
    answer = await api.get("/events", types="booking", bookings="own")
    assert [event["data"]["booking_id"] for event in answer.body["events"]] == [made.body["booking_id"]]


async def test_a_key_of_one_hotel_reads_of_that_hotel_only(api: Api) -> None:
    await number_all(api.database)
    key = await api.key(client="other", hotels=[2])
    mirror = Mirror()
    positions, end = await pull(api, mirror, key=key, limit=20)
    assert positions
    assert {hotel for _, hotel, _ in mirror.documents} == {2}
    assert await wrong(api, mirror, hotels=[2]) == []
    head = await api.value("select max(position) from booking_engine.event")
    assert end == head
    assert (await api.get("/events", key=key, hotel_id=1)).code == "unknown_hotel"
    mine = Mirror()
    await pull(api, mine, hotel_id=2)
    assert mine.documents == mirror.documents


async def test_bookings_need_their_scope_and_guests_theirs(api: Api) -> None:
    await book(api, asked(api, await room_type(api, rooms=1)))
    await api.project()
    await number_all(api.database)
    reader = await api.key(client="reader", scopes=("read",))
    mirror = Mirror()
    await pull(api, mirror, key=reader)
    assert "booking" not in {kind for kind, *_ in mirror.documents}
    assert (await api.get("/events", key=reader, types="hotel,booking")).code == "insufficient_scope"
    booker = await api.key(client="booker", scopes=("read", "book"))
    mirror = Mirror()
    await pull(api, mirror, key=booker)
    assert await wrong(api, mirror, guests=False) == []
    assert (await api.get("/events", key=booker, types="booking", limit=250)).raw.find(GUEST.encode()) < 0
    own = await api.get("/events", types="booking", bookings="own")
    assert [event["data"]["guest"]["name"] for event in own.body["events"]] == [GUEST]


async def test_only_what_is_asked_for_is_told_and_the_rest_is_passed(api: Api) -> None:
    await number_all(api.database)
    answer = await api.get("/events", types="plan,rates")
    assert {event["type"] for event in answer.body["events"]} == {"plan.updated", "rates.updated"}
    assert not answer.body["more"]
    assert answer.body["position"] == await api.value("select max(position) from booking_engine.event")
    again = await api.get("/events", types="plan,rates", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_a_booking_that_is_our_own_no_longer_is_withdrawn_from_who_reads_of_our_own_only(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    number = made.body["booking_id"]
    await api.project()
    await number_all(api.database)
    own, everything = Mirror(), Mirror()
    _, end = await pull(api, own, bookings="own", types="booking")
    assert [key for _, _, key in own.documents] == [number]
    await disown(api, number)
    # It changes once more before anybody reads: of that, who reads of our own only is not told.
    await api.rows("update reservations set comment = 'staff' where id = %s returning id", number)
    await api.project()
    await number_all(api.database)
    _, after = await pull(api, own, after=end, bookings="own", types="booking")
    _, _ = await pull(api, everything, after=end, types="booking")
    said = (await api.get("/events", after=end, bookings="own", types="booking")).body["events"]
    version = await api.value("select version from booking_engine.document where id = %s", number)
    assert [(one["type"], one["data"]["version"]) for one in said] == [("booking.deleted", version)]
    assert "staff" not in str(said)
    assert own.documents == {}
    assert [key for _, _, key in everything.documents] == [number]
    assert [*map(str, own.violations), *map(str, everything.violations)] == []
    await api.rows("update reservations set comment = 'more' where id = %s returning id", number)
    await api.project()
    await number_all(api.database)
    assert (await api.get("/events", after=after, bookings="own", types="booking")).body["events"] == []
    await own_again(api, number)
    told = (await api.get("/events", after=after, bookings="own", types="booking")).body["events"]
    assert [(one["type"], one["data"]["booking_id"]) for one in told] == [("booking.updated", number)]


async def own_again(api: Api, number: str) -> None:
    """Staff take that back."""
    await api.rows("update reservations set type = 'web', agent = 'roomwire' where id = %s returning id", number)
    await api.project()
    await number_all(api.database)


async def test_a_cursor_keeps_how_far_one_has_read(api: Api) -> None:
    await number_all(api.database)
    first = (await api.get("/events", after="website", limit=5)).body
    assert (await api.get("/events", after="website", limit=5)).body["events"] == first["events"]
    at = first["position"]
    answer = await api.post("/events/ack", {"cursor": "website", "position": at})
    assert (answer.status, answer.body["cursor"], answer.body["position"]) == (200, "website", at)
    second = (await api.get("/events", after="website", limit=5)).body
    assert second["events"][0]["position"] > at
    back = await api.post("/events/ack", {"cursor": "website", "position": at - 1})
    assert back.body["position"] == at
    listed = (await api.get("/events/cursors")).body["cursors"]
    assert [(one["cursor"], one["position"]) for one in listed] == [("website", at)]
    other = await api.key(client="other")
    assert (await api.get("/events/cursors", key=other)).body == {"cursors": []}
    assert (await api.get("/events", after="website", limit=5, key=other)).body["events"] == first["events"]
    assert (await api.call("DELETE", "/events/cursors/website", key=other)).code == "unknown_cursor"
    assert (await api.call("DELETE", "/events/cursors/website")).status == 204
    assert (await api.get("/events", after="website", limit=5)).body["events"] == first["events"]


async def test_acknowledging_fills_no_audit_log(api: Api) -> None:
    await api.post("/events/ack", {"cursor": "website", "position": 0})
    await api.call("DELETE", "/events/cursors/website")
    await api.context.journal.write()
    logged = await api.rows("select method, path from booking_engine.audit_log")
    assert [(method, path.rsplit("/", 1)[1]) for method, path in logged] == [("DELETE", "website")]


async def test_a_position_that_was_not_given_cannot_be_acknowledged(api: Api) -> None:
    await number_all(api.database)
    head = await api.value("select max(position) from booking_engine.event")
    answer = await api.post("/events/ack", {"cursor": "website", "position": head + 1})
    assert (answer.code, answer.body["errors"][0]["pointer"]) == ("invalid_request", "/position")


async def test_a_client_has_only_so_many_cursors(api: Api) -> None:
    for n in range(20):
        assert (await api.post("/events/ack", {"cursor": f"c{n}", "position": 0})).status == 200
    answer = await api.post("/events/ack", {"cursor": "one-more", "position": 0})
    assert (answer.status, answer.code) == (409, "too_many_cursors")
    assert (await api.post("/events/ack", {"cursor": "c7", "position": 0})).status == 200
    other = await api.key(client="other")
    assert (await api.post("/events/ack", {"cursor": "one-more", "position": 0}, key=other)).status == 200


async def test_a_users_token_reads_nothing_of_the_feed(api: Api) -> None:
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    calls = [("GET", path) for path in ("/events", "/events/stream", "/events/snapshot", "/events/cursors")]
    for method, path in [*calls, ("DELETE", "/events/cursors/website")]:
        answer = await api.call(method, path, key=token)
        assert (path, answer.status, answer.code) == (path, 403, "insufficient_scope")
    answer = await api.post("/events/ack", {"cursor": "website", "position": 0}, key=token)
    assert (answer.status, answer.code) == (403, "insufficient_scope")


async def test_who_waits_is_answered_when_something_comes(api: Api) -> None:
    await number_all(api.database)
    end = (await api.get("/events", types="hotel", limit=250)).body["position"]
    await api.rows("update hotels set name = 'あさひ' where id = %s returning id", HOTEL)
    await api.project()
    waiting = asyncio.create_task(api.get("/events", after=end, wait=30))
    assert await until(lambda: _waits(api), 30)
    await number_all(api.database)
    answer = await waiting
    assert "hotel.updated" in {event["type"] for event in answer.body["events"]}


async def _waits(api: Api) -> bool:
    return api.context.heads.waiting > 0


async def test_who_waits_in_vain_is_told_so(api: Api) -> None:
    await number_all(api.database)
    end = (await api.get("/events", types="hotel", limit=250)).body["position"]
    answer = await api.get("/events", after=end, wait=1)
    assert (answer.status, answer.body["events"], answer.body["position"]) == (200, [], end)


async def test_who_waits_is_answered_when_the_process_ends(api: Api) -> None:
    waiting = asyncio.create_task(api.get("/events", wait=30))
    assert await until(lambda: _waits(api), 30)
    await api.context.heads.close()
    async with asyncio.timeout(20):
        assert (await waiting).body["events"] == []
