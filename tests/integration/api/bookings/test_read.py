"""Reading bookings, and who may."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.integration.api.bookings.stays import HOTEL, asked, bare, book, room_type
from tests.support.api import Answered, Api

BY_STAFF = "update reservations set comment = %s, updated_by = 3 where id = %s returning 1"


async def settle(api: Api) -> None:
    """Let all versions be old enough that nothing unseen can be before them."""
    await api.rows(
        "update booking_engine.document set version = version - 3600000000 where kind = 'booking' returning 1"
    )
    await api.rows("update booking_engine.booking_link set version = version - 3600000000 returning 1")


def ids(answer: Answered) -> list[str]:
    return [one["booking_id"] for one in answer.body["bookings"]]


async def test_a_booking_reads_as_it_was_answered(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    path = made.body["links"]["self"]
    read = await api.get("/" + path)
    assert read.status == 200, read.body
    assert bare(read.body) == bare(made.body)
    assert read.headers["ETag"] == made.headers["ETag"]
    assert (await api.get("/" + path, headers={"If-None-Match": made.headers["ETag"]})).status == 304
    await api.rows(BY_STAFF, "窓側", made.body["booking_id"])
    await api.project()
    changed = await api.get("/" + path, headers={"If-None-Match": made.headers["ETag"]})
    assert changed.body["comment"] == "窓側"
    assert changed.headers["ETag"] == f'"{changed.body["version"]}"'
    assert changed.body["version"] > made.body["version"]


async def test_what_staff_make_of_it_is_listed_whatever_they_make(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    await settle(api)
    cursor = (await api.get("/bookings")).body["cursor"]
    for kind in ("employee", "default"):
        await api.rows(
            "update reservations set type = %s, updated_by = 3 where id = %s returning 1",
            kind,
            made.body["booking_id"],
        )
        await api.project()
    await settle(api)
    assert ids(await api.get("/bookings", cursor=cursor)) == [made.body["booking_id"]]


async def test_others_know_nothing_of_it(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    path = f"/bookings/{made.body['booking_id']}"
    theirs = await api.value("select id from reservations where hotel_id = %s and status <> 'block' limit 1", HOTEL)
    strangers = [await api.key(client="another"), await api.key(hotels=[2])]
    for where, key in [(path, strangers[0]), (path, strangers[1]), (f"/bookings/{theirs}", api.mine)]:
        answer = await api.get(where, key=key)
        assert (answer.status, answer.code) == (404, "unknown_booking")
    for key in strangers:
        assert ids(await api.get("/bookings", key=key)) == []
    assert (await api.get(f"/bookings/{uuid4()}")).code == "unknown_booking"
    assert (await api.get("/bookings/one")).code == "invalid_request"


async def test_names_and_contacts_need_their_scope(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1), requests="静かに"))
    plain = await api.key(scopes=("read",))
    for told in (
        (await api.get(f"/bookings/{made.body['booking_id']}", key=plain)).body,
        (await api.get("/bookings", key=plain)).body["bookings"][0],
    ):
        assert (told["guest"], told["comment"]) == (None, None)
        assert {len(night["guests"]) for night in told["nights"]} == {0}
        assert told["total"] == made.body["total"]


async def test_a_users_token_shows_his_bookings_only(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    everyone: list[dict[str, Any]] = [{"user_id": "u1"}, {"user_id": "u2"}, {}]
    mine, other, nobodys = [(await book(api, asked(api, kind, **more))).body["booking_id"] for more in everyone]
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    assert ids(await api.get("/bookings", key=token)) == [mine]
    assert (await api.get(f"/bookings/{mine}", key=token)).status == 200
    for hidden in (other, nobodys):
        assert (await api.get(f"/bookings/{hidden}", key=token)).code == "unknown_booking"


async def test_changes_come_once_in_order_page_by_page(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    made = [(await book(api, asked(api, kind))).body["booking_id"] for _ in range(3)]
    await settle(api)
    first = await api.get("/bookings", limit=2)
    assert (ids(first), first.body["more"]) == (made[:2], True)
    second = await api.get("/bookings", cursor=first.body["cursor"], limit=2)
    assert (ids(second), second.body["more"]) == (made[2:], False)
    cursor = second.body["cursor"]
    assert ids(await api.get("/bookings", cursor=cursor)) == []
    await api.rows(BY_STAFF, "窓側", made[1])
    await api.rows("delete from reservations where id = %s returning 1", made[0])
    await api.project()
    later = await api.get("/bookings", cursor=cursor)
    assert ids(later) == [made[1]]
    assert [one["booking_id"] for one in later.body["deleted"]] == [made[0]]
    assert (await api.get(f"/bookings/{made[0]}")).code == "unknown_booking"


async def test_what_may_still_be_overtaken_comes_again(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    first = await api.get("/bookings")
    again = await api.get("/bookings", cursor=first.body["cursor"])
    assert ids(first) == ids(again) == [made.body["booking_id"]]


async def test_since_when_and_a_cursor_that_is_none(api: Api) -> None:
    made = await book(api, asked(api, await room_type(api, rooms=1)))
    assert ids(await api.get("/bookings", updated_since="2020-01-01T00:00:00Z")) == [made.body["booking_id"]]
    assert ids(await api.get("/bookings", updated_since=f"{api.day(1)}T12:00:00Z")) == []
    for cursor in ("none", "ÄÄ", "AAAA"):
        refused = await api.get("/bookings", cursor=cursor)
        assert (refused.status, refused.code) == (422, "invalid_request")
        assert refused.body["errors"][0]["pointer"] == "/cursor"
    for since in ("0.5", "2026-01-01", "2026-01-01T00:00:00"):
        assert (await api.get("/bookings", updated_since=since)).code == "invalid_request"
