"""What endpoints lack, and replays."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from tests.integration.api.control.arrangement import WISHES, added, lacking
from tests.integration.delivery.receiver import Receiver
from tests.support.api import Api


async def test_what_it_is_told_of_more_is_sent_by_a_replay(api: Api, receiver: Receiver) -> None:
    await added(api, receiver, hotels=[1])
    answer = await api.put("/endpoints/web", WISHES | {"hotels": [1, 2]})
    assert answer.status == 200, answer.body
    (row,) = (await api.get("/replays")).body["replays"]
    count = await api.value(
        "select count(*) from booking_engine.document where hotel_id = 2 and body is not null and version > 0"
    )
    assert (row["endpoint"], row["hotels"], row["total"], row["queued"]) == ("web", [2], count, 0)


async def test_a_test_message_goes_the_way_of_all_messages(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    await api.desk.execute("create table booking_engine.attempts partition of booking_engine.attempt default")
    answer = await api.post("/endpoints/web/test")
    assert answer.status == 200, answer.body
    assert (answer.body["outcome"], answer.body["status"], answer.body["error"]) == ("delivered", 204, None)
    (received,) = receiver.received  # which has checked signature and shape
    assert (received.type, received.data) == ("endpoint.test", {"endpoint": "web"})
    assert received.webhook_id == answer.body["webhook_id"]

    async def refuse(_message: dict[str, Any]) -> int:
        return 418

    receiver.answer = refuse
    await api.post("/endpoints/web/pause", {"reason": "moving house"})
    answer = await api.post("/endpoints/web/test")
    assert (answer.body["outcome"], answer.body["status"], answer.body["error"]) == ("rejected", 418, "HTTP 418")
    rows = await api.rows("select webhook_id, type, outcome from booking_engine.attempt order by at")
    assert [row[1:] for row in rows] == [("endpoint.test", "delivered"), ("endpoint.test", "rejected")]
    state = (await api.get("/endpoints/web")).body
    assert (state["status"], state["failures"]) == ("paused", 0), "a test changes nothing"


async def test_what_endpoints_lack_is_listed_tried_again_and_skipped(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    await lacking(api, "web", hotel=1)
    await lacking(api, "web", hotel=2, kind="booking", error="HTTP 422")
    found = (await api.get("/deliveries")).body
    assert [(one["kind"], one["last_error"], one["tries"]) for one in found["deliveries"]] == [
        ("booking", "HTTP 422", 6),
        ("hotel", None, 0),
    ]
    first = (await api.get("/deliveries", limit=1)).body
    second = (await api.get("/deliveries", limit=1, cursor=first["cursor"])).body
    assert first["deliveries"] + second["deliveries"] == found["deliveries"]
    assert [(page["more"], page["cursor"] is None) for page in (first, second)] == [(True, False), (False, True)]
    places = (b"null", b'[0,1e30,0,0,"","",""]', b'[1,0,0,0,"","","\\u0000"]', b'[2,0,%d,0,"","",""]' % 2**64)
    for strange in ("!", *(urlsafe_b64encode(place).decode() for place in places)):
        assert (await api.get("/deliveries", cursor=strange)).code == "invalid_request"
    assert [one["kind"] for one in (await api.get("/deliveries", rejected="true")).body["deliveries"]] == [
        "booking"
    ]
    assert [one["kind"] for one in (await api.get("/deliveries", hotel_id=1)).body["deliveries"]] == ["hotel"]
    assert (await api.get("/deliveries", endpoint="nobody")).code == "unknown_endpoint"
    key = found["deliveries"][0]["key"]
    story = (await api.get(f"/deliveries/keys/{key}")).body
    assert (story["key"], story["gone"], story["endpoints"][0]["up_to_date"]) == (key, False, False)
    assert (await api.get("/deliveries/keys/booking:2:none")).code == "unknown_key"

    assert (await api.post("/deliveries/retry", {"endpoint": "web"})).body == {"keys": 1}
    assert (await api.post("/deliveries/retry", {"keys": [key]})).body == {"keys": 0}
    skipped = await api.post("/deliveries/skip", {"endpoint": "web", "keys": [key], "reason": "不要"})
    assert skipped.body == {"keys": 1}
    assert (await api.get(f"/deliveries/keys/{key}")).body["endpoints"][0]["up_to_date"] is True
    ((source, request_id, path, hotel),) = await api.rows(
        "select source, request_id, path, hotel_id from booking_engine.audit_log where method = 'SKIP'"
    )
    assert (source, request_id, hotel) == ("office", skipped.headers["X-Request-Id"], 2)
    assert path == f"web {key} version {found['deliveries'][0]['version']} 不要"


async def test_a_replay_is_counted_begun_once_and_seen(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    asked = {"endpoint": "web", "hotels": [1], "kinds": ["booking", "plan"]}
    counted = (await api.post("/replay-count", asked)).body
    assert set(counted["by_kind"]) == {"booking", "plan"}
    assert counted["documents"] == sum(counted["by_kind"].values()) > 0
    assert await api.value("select count(*) from booking_engine.replay") == 0
    once = {"Idempotency-Key": "replay-1"}
    begun = await api.post("/replays", asked, headers=once)
    assert begun.status == 202, begun.body
    assert (begun.body["total"], begun.body["queued"]) == (counted["documents"], 0)
    assert (await api.post("/replays", asked, headers=once)).body == begun.body
    assert (await api.get("/replays")).body == {"replays": [begun.body]}
    number = begun.body["replay_id"]
    assert (await api.get(f"/replays/{number}")).body == begun.body
    assert (await api.get(f"/replays/{number + 1}")).code == "unknown_replay"
    await api.post("/endpoints/web/disable")
    assert (await api.post("/replay-count", asked)).code == "endpoint_refused"
    headers = {"Idempotency-Key": "replay-2"}
    assert (await api.post("/replays", asked, headers=headers)).code == "endpoint_refused"
    assert (await api.post("/replay-count", asked | {"endpoint": "nobody"})).code == "unknown_endpoint"
    assert (await api.post("/replay-count", asked | {"hotels": [99]})).code == "unknown_hotel"
