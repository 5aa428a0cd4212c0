"""Whose endpoints a key may see and change, and that it is done once."""

from __future__ import annotations

from typing import Any

from outbox import signing
from tests.integration.api.control.arrangement import ADMIN, WISHES, added, lacking
from tests.integration.delivery.receiver import Receiver
from tests.support.api import Answered, Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/endpoints/{}", None),
    ("PUT", "/endpoints/{}", WISHES | {"hotels": [1]}),
    ("DELETE", "/endpoints/{}", None),
    ("POST", "/endpoints/{}/test", None),
    ("POST", "/endpoints/{}/pause", {}),
    ("POST", "/endpoints/{}/resume", None),
    ("POST", "/endpoints/{}/enable", None),
    ("POST", "/endpoints/{}/disable", None),
    ("POST", "/endpoints/{}/rotate", {}),
    ("GET", "/deliveries?endpoint={}", None),
    ("POST", "/deliveries/retry", {"endpoint": "{}"}),
    ("POST", "/deliveries/skip", {"endpoint": "{}", "keys": ["hotel:1"]}),
    ("POST", "/replays", {"endpoint": "{}"}),
    ("POST", "/replay-count", {"endpoint": "{}"}),
]


def named(call: tuple[str, str, Any], name: str) -> tuple[str, str, Any]:
    method, path, body = call
    if body and "endpoint" in body:
        body = body | {"endpoint": name}
    return method, path.format(name), body


async def test_a_key_of_some_hotels_knows_the_endpoints_of_no_others(api: Api, receiver: Receiver) -> None:
    for name, hotels in (("one", [1]), ("two", [2]), ("both", [1, 2]), ("all", None)):
        await added(api, receiver, name, hotels=hotels)
        await lacking(api, name, hotel=2 if name == "two" else 1)
        headers = {"Idempotency-Key": f"replay-{name}"}
        assert (await api.post("/replays", {"endpoint": name}, headers=headers)).status == 202
    narrow = await api.key(client="hotel 1", scopes=ADMIN, hotels=[1])
    assert [one["name"] for one in (await api.get("/endpoints", key=narrow)).body["endpoints"]] == ["one"]
    seen = (await api.get("/deliveries", key=narrow)).body["deliveries"]
    assert [(one["endpoint"], one["key"]) for one in seen] == [("one", "hotel:1")]
    story = (await api.get("/deliveries/keys/hotel:1", key=narrow)).body
    assert [one["endpoint"] for one in story["endpoints"]] == ["one"]
    assert (await api.get("/deliveries/keys/hotel:2", key=narrow)).code == "unknown_key"
    (replay,) = (await api.get("/replays", key=narrow)).body["replays"]
    assert replay["endpoint"] == "one"
    assert (await api.get(f"/replays/{replay['replay_id'] + 1}", key=narrow)).code == "unknown_replay"
    before = await api.rows("select * from booking_engine.endpoint order by id")
    for call in CALLS:
        answers = []
        for name in ("two", "both", "all", "none"):
            method, path, body = named(call, name)
            headers = {"Idempotency-Key": f"{name}-{path}", "X-Request-Id": "the-same-request"}
            answer = await api.call(method, path, key=narrow, json=body, headers=headers)
            answers.append((answer.status, answer.raw))
        assert answers[0][0] == 404, (call, answers[0])
        assert len(set(answers)) == 1, "as if there were none"
    assert (await api.post("/deliveries/retry", {}, key=narrow)).status == 200
    assert await api.rows("select * from booking_engine.endpoint order by id") == before
    assert await api.value("select count(*) from booking_engine.behind") == 4


async def test_nobody_gets_more_by_an_endpoint_than_by_the_key(api: Api, receiver: Receiver) -> None:
    narrow = await api.key(client="hotel 1", scopes=("admin",), hotels=[1])
    asked = WISHES | {"name": "web", "url": receiver.url}
    assert (await api.post("/endpoints", asked, key=narrow)).code == "invalid_request"
    assert (await api.post("/endpoints", asked | {"hotels": [1, 2]}, key=narrow)).code == "unknown_hotel"
    guests = asked | {"hotels": [1], "guest_data": True}
    refused = await api.post("/endpoints", guests, key=narrow)
    assert (refused.code, refused.body["scope"]) == ("insufficient_scope", "guest-data")
    assert (await api.post("/endpoints", asked | {"hotels": [1]}, key=narrow)).status == 201
    for wishes, code in (
        ({"hotels": None}, "invalid_request"),
        ({"hotels": [2]}, "unknown_hotel"),
        ({"hotels": [1], "guest_data": True}, "insufficient_scope"),
    ):
        assert (await api.put("/endpoints/web", WISHES | wishes, key=narrow)).code == code
    engine = await api.key(client="engine", scopes=("read", "book", "guest-data"))
    user = await api.post("/auth/token", {"user_id": "u_1"})
    for key in (engine, user.body["access_token"]):
        for call in [
            *CALLS,
            ("GET", "/endpoints", None),
            ("GET", "/deliveries/keys/hotel:1", None),
            ("GET", "/replays", None),
        ]:
            method, path, body = named(call, "web")
            answer = await api.call(method, path, key=key, json=body, headers={"Idempotency-Key": "k"})
            assert (answer.status, answer.code) == (403, "insufficient_scope"), (call, answer.body)


async def test_whatever_is_done_is_done_once_for_its_key(api: Api, receiver: Receiver) -> None:
    """Every answer is repeated as it was, also of what could not be done a second time."""
    wanted = WISHES | {"name": "web", "url": receiver.url}

    async def twice(method: str, path: str, body: Any = None) -> Answered:
        once = {"Idempotency-Key": f"{method} {path}"}
        first = await api.call(method, path, json=body, headers=once)
        again = await api.call(method, path, json=body, headers=once)
        said = [{**(answer.body or {}), "request_id": ""} for answer in (first, again)]
        assert (again.status, said[1]) == (first.status, said[0])
        assert again.headers["Idempotent-Replayed"] == "true"
        other = await api.call(method, path, json={**(body or {}), "reason": "other"}, headers=once)
        assert body is None or other.code in {"idempotency_key_reused", "invalid_request"}
        return first

    made = await twice("POST", "/endpoints", wanted)
    assert made.status == 201, made.body
    signing.signer(made.body["secret"])
    stored = await api.rows("select convert_from(body, 'UTF8') from booking_engine.idempotency")
    assert not [body for (body,) in stored if made.body["secret"] in body], "encrypted at rest, here as well"
    await api.desk.execute("update booking_engine.endpoint set fill_version = null")
    before = await api.value("select revision from booking_engine.endpoint")
    rotated = await twice("POST", "/endpoints/web/rotate", {"grace_seconds": 0})
    assert rotated.body["secret"] not in {None, made.body["secret"]}
    assert await api.value("select revision from booking_engine.endpoint") == before + 1
    assert (await twice("POST", "/endpoints/web/pause", {"reason": "moving"})).body["status"] == "paused"
    assert (await twice("POST", "/endpoints/web/resume")).body["status"] == "healthy"
    await lacking(api, "web", hotel=2)
    skipped = {"endpoint": "web", "keys": ["hotel:2"]}
    assert (await twice("POST", "/deliveries/skip", skipped)).body == {"keys": 1}
    assert (await twice("PUT", "/endpoints/web", WISHES | {"hotels": [1]})).body["hotels"] == [1]
    assert (await twice("DELETE", "/endpoints/web")).status == 204
    assert (await api.get("/endpoints/web")).code == "unknown_endpoint"
    assert (await twice("POST", "/endpoints/web/enable")).code == "unknown_endpoint", "a refusal is final"
