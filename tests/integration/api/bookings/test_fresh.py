"""As of when answers about bookings and holds are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from api.freshness import STALE_SECONDS
from api.writes import once
from tests.integration.api.bookings.stays import HOTEL, asked, book, room_type
from tests.support.api import Answered, Api


def is_of_now(answer: Answered, before: datetime) -> bool:
    """Whether it says that it is as of a moment of its own request."""
    return before <= datetime.fromisoformat(answer.body["as_of"]) <= datetime.now(UTC) and not answer.body["stale"]


async def test_what_is_written_is_as_of_now_and_repeated_as_of_then(api: Api) -> None:
    kind = await room_type(api, rooms=1)
    hold = {"rooms": [{"room_type_id": kind, "number_of_people": 1}]}
    wanted = asked(api, kind)
    held = await hold_(api, wanted | hold)
    made = await book(api, wanted | {"hold_id": held.body["hold_id"]}, key=(key := str(uuid4())))
    place = f"/bookings/{made.body['booking_id']}"
    change = {name: wanted[name] for name in ("check_in", "check_out", "rooms")}
    before = datetime.now(UTC)
    etag = {"If-Match": made.headers["ETag"]}
    dearer = await api.put(place, change | {"expected_total": 1}, headers=etag)
    assert (dearer.code, is_of_now(dearer, before)) == ("price_changed", True)
    full = await api.post("/quotes", {name: wanted[name] for name in ("hotel_id", *change)})
    assert (full.code, is_of_now(full, before)) == ("sold_out", True)
    full = await book(api, asked(api, kind))
    assert (full.code, is_of_now(full, before)) == ("sold_out", True)
    for answer in (await api.put(place, change, headers=etag), await api.call("DELETE", place)):
        assert (answer.status, is_of_now(answer, before)) == (200, True)
    again = await book(api, wanted | {"hold_id": held.body["hold_id"]}, key=key)
    assert (again.raw, again.headers["Idempotent-Replayed"]) == (made.raw, "true")


async def hold_(api: Api, wanted: dict[str, Any]) -> Answered:
    """A hold that says as of when it is."""
    before = datetime.now(UTC)
    names = ("hotel_id", "check_in", "check_out", "rooms")
    held = await api.post("/holds", {name: wanted[name] for name in names})
    assert (held.status, is_of_now(held, before)) == (201, True)
    return held


@pytest.mark.parametrize(("scope", "known"), [(None, False), (HOTEL, False), (HOTEL + 1, True)])
async def test_what_is_read_is_as_of_the_documents(
    api: Api, monkeypatch: pytest.MonkeyPatch, scope: int | None, *, known: bool
) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    when = await api.value(
        "update booking_engine.checkpoint set committed_at = clock_timestamp() - make_interval(secs => %s)"
        " returning committed_at",
        STALE_SECONDS + 1,
    )
    await api.rows(
        "insert into booking_engine.dirty_scope (kind, hotel_id, reason) values ('booking', %s, 't') returning 1",
        scope,
    )
    monkeypatch.setattr("api.freshness._KEEP", 0)
    read = await api.get(f"/bookings/{made.body['booking_id']}")
    listed = await api.get("/bookings")
    shown = datetime.fromisoformat(read.body["as_of"]) if read.body["as_of"] else None
    assert (shown, read.body["stale"]) == (when if known else None, True)
    assert (listed.body["as_of"], listed.body["stale"]) == (None, True)
    assert set(listed.body["bookings"][0]) == set(read.body) - {"as_of", "stale"}


async def test_a_price_is_as_of_when_it_was_looked_at(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was committed by then is in it: what is committed between the look and the answer is not."""
    wanted = asked(api, await room_type(api, rooms=1))
    await api.post("/quotes", {name: wanted[name] for name in ("hotel_id", "check_in", "check_out", "rooms")})
    looked = []
    settled = once._settled

    def meanwhile(*args: Any) -> Any:
        looked.append(datetime.now(UTC))
        return settled(*args)

    monkeypatch.setattr(once, "_settled", meanwhile)
    refused = await book(api, wanted | {"expected_total": 1})
    assert refused.code == "price_changed", refused.body
    assert datetime.fromisoformat(refused.body["as_of"]) <= looked[0]
