"""Who is new or has missed something reads everything, and goes on without missing anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from api.events.answers import SnapshotAnswer
from outbox.feed import maintain
from sql.pool import make_pool
from tests.integration.api.bookings.stays import asked, book, room_type
from tests.integration.api.events.reader import keep, number_all, pull, wrong
from tests.support.api import Api
from tests.support.mirror import Mirror


async def everything(api: Api, mirror: Mirror, *, page: str | None = None, **wishes: Any) -> int:
    """Read all pages of what there is, from one on; returns the position to follow from."""
    while True:
        answer = await api.get("/events/snapshot", **wishes, **({"page": page} if page else {}))
        assert answer.status == 200, answer.body
        SnapshotAnswer.model_validate_json(answer.raw)
        for message in answer.body["messages"]:
            keep(mirror, message)
        page = answer.body["page"]
        if page is None:
            return int(answer.body["position"])


async def expire(api: Api) -> int:
    """Let a day of events grow too old; returns its last position."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=9)
    first = int(day.timestamp()) * 1_000_000
    await api.desk.execute(
        f"create table booking_engine.event_{day:%Y%m%d} partition of booking_engine.event"
        f" for values from ({first}) to ({first + 86_400_000_000})".encode()
    )
    await api.desk.execute(
        "insert into booking_engine.event values (%s, 'hotel', 1, '', 0, 1), (%s, 'hotel', 1, '', 1, 2)",
        [first + 5, first + 7],
    )
    async with make_pool(api.database.dsn, application="feed", size=1) as pool:
        await maintain(pool, days=7)
    return first + 7


async def test_everything_is_read_in_pages_and_then_followed(api: Api) -> None:
    await number_all(api.database)
    mirror = Mirror()
    first = await api.get("/events/snapshot", limit=100)
    for message in first.body["messages"]:
        keep(mirror, message)
    # While it reads on, a booking comes and a reservation goes.
    await book(api, asked(api, await room_type(api, rooms=1)))
    gone = "delete from reservations where id in (select id from reservations order by id limit 3) returning id"
    await api.rows("select set_config('my_app.user_id', '1', false)")
    await api.rows(gone)
    await api.project()
    await number_all(api.database)
    position = await everything(api, mirror, page=first.body["page"], limit=100)
    assert position == first.body["position"]
    await pull(api, mirror, after=position)
    assert await wrong(api, mirror) == []


async def test_every_thing_is_named_once_whatever_the_page(api: Api) -> None:
    await number_all(api.database)
    whole, pages = Mirror(), Mirror()
    await everything(api, whole, limit=250)
    await everything(api, pages, limit=7, types="hotel,room_type,plan,rates")
    assert await wrong(api, whole) == []
    assert pages.counts == {kind: n for kind, n in whole.counts.items() if kind in pages.counts}
    assert len(pages.counts) == 4
    of_two = Mirror()
    await everything(api, of_two, key=await api.key(client="two", hotels=[2]), limit=100)
    assert await wrong(api, of_two, hotels=[2]) == []


async def test_a_page_that_is_none_of_ours_is_refused(api: Api) -> None:
    for page in ("x", "W10=", "WzEsIjIwMjYtMDEtMDEiLDksMCwiIl0="):
        answer = await api.get("/events/snapshot", page=page)
        assert (answer.code, answer.body["errors"][0]["pointer"]) == ("invalid_request", "/page"), page


async def test_who_stands_before_what_was_dropped_is_told_so(api: Api) -> None:
    await number_all(api.database)
    await api.post("/events/ack", {"cursor": "late", "position": 1})
    assert (await api.get("/events", after="late")).status == 200
    last = await expire(api)
    for after in (0, 1, last - 1, "late", "new"):
        for path in ("/events", "/events/stream"):
            answer = await api.get(path, after=after)
            assert (answer.status, answer.code) == (410, "cursor_expired"), after
    mirror = Mirror()
    await pull(api, mirror, after=last)
    assert await wrong(api, mirror) == []
    anew = Mirror()
    position = await everything(api, anew, limit=250)
    assert (await api.get("/events", after=position)).body["events"] == []
    await api.post("/events/ack", {"cursor": "late", "position": position})
    assert (await api.get("/events", after="late")).status == 200
