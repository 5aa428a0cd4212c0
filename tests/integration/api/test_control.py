"""Administration over the API: endpoints, deliveries and replays, and who may know of which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import psycopg
import pytest

from api.context import Options
from outbox import signing
from sql import endpoints, idempotency
from tests.integration.delivery.receiver import Receiver
from tests.support.api import Answered, Api, running_api
from tests.support.servers.databases import Database

ADMIN = ("read", "admin", "guest-data")
WISHES: dict[str, Any] = {
    "hotels": None,
    "types": None,
    "bookings": "all",
    "guest_data": False,
    "max_bytes": 20_000,
    "concurrency": 8,
    "rate_per_second": 2.5,
    "heartbeat_seconds": 0,
}


@pytest.fixture
async def api(in_step: Database) -> AsyncIterator[Api]:
    """The API, where endpoints may be on this machine; `mine` administrates every hotel."""
    async with running_api(in_step, options=Options(allowed=(ip_network("127.0.0.0/8"),))) as api:
        api.mine = await api.key(client="office", scopes=ADMIN)
        yield api


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(signing.new_secret()) as receiver:
        yield receiver


async def added(api: Api, receiver: Receiver, name: str = "web", **wishes: Any) -> Answered:
    """Add an endpoint that is filled already, and so lacks nothing."""
    asked = WISHES | {"name": name, "url": f"{receiver.url}?token=s3cret", "secret": receiver._secret} | wishes
    answer = await api.post("/endpoints", asked)
    assert answer.status == 201, answer.body
    await api.desk.execute("update booking_engine.endpoint set fill_version = null")
    return answer


async def lacking(api: Api, name: str, *, hotel: int = 1, kind: str = "hotel", error: str | None = None) -> None:
    """Let an endpoint lack a document, and have refused it where `error` is given."""
    await api.desk.execute(
        "insert into booking_engine.behind"
        " (endpoint_id, kind, hotel_id, id, version, acked, place, rejected_at, last_error, tries)"
        " select e.id, d.kind, d.hotel_id, d.id, d.version, 0, 1,"
        " case when %(error)s::text is not null then now() end, %(error)s,"
        " case when %(error)s::text is null then 0 else 6 end"
        " from booking_engine.endpoint e, booking_engine.document d"
        " where e.name = %(name)s and d.kind = %(kind)s and d.hotel_id = %(hotel)s and d.version > 0 limit 1",
        {"name": name, "kind": kind, "hotel": hotel, "error": error},
    )


async def test_an_endpoint_is_added_read_changed_and_removed(api: Api, receiver: Receiver) -> None:
    answer = await api.post("/endpoints", WISHES | {"name": "web", "url": f"{receiver.url}?token=s3cret"})
    assert answer.status == 201, answer.body
    secret = answer.body["secret"]
    signing.signer(secret)
    assert answer.headers["Cache-Control"] == "no-store"
    shown = {name: value for name, value in answer.body.items() if name != "secret"}
    assert (shown["url"], shown["status"], shown["first_sync_due"]) == (receiver.url, "healthy", True)
    read = await api.get("/endpoints/web")
    assert read.body == shown
    listed = await api.get("/endpoints")
    assert listed.body == {"endpoints": [shown]}
    for later in (read, listed):
        assert secret.encode() not in later.raw, "shown once"
        assert b"s3cret" not in later.raw
    stored = await api.value("select secret from booking_engine.endpoint")
    assert stored != secret, "encrypted at rest"

    changed = await api.put("/endpoints/web", WISHES | {"hotels": [2], "types": ["booking"], "concurrency": 3})
    assert changed.status == 200, changed.body
    assert [changed.body[field] for field in ("hotels", "types", "concurrency")] == [[2], ["booking"], 3]
    url = await api.value("select url from booking_engine.endpoint")
    assert url.endswith("?token=s3cret"), "it stays where none is given"

    assert (await api.call("DELETE", "/endpoints/web")).status == 204
    assert (await api.get("/endpoints/web")).code == "unknown_endpoint"
    assert (await api.call("DELETE", "/endpoints/web")).code == "unknown_endpoint"


async def test_a_change_may_name_what_it_starts_from(api: Api, receiver: Receiver) -> None:
    await added(api, receiver, headers={"X-Key": "s3cret-of-the-old-one"})
    read = (await api.get("/endpoints/web")).headers["ETag"]
    await lacking(api, "web")
    later = await api.get("/endpoints/web", headers={"If-None-Match": read})
    assert (later.status, later.body["behind"]) == (200, 1), "how it does is told anew"
    change = WISHES | {"concurrency": 3}
    first = await api.put("/endpoints/web", change, headers={"If-Match": read})
    assert (first.status, first.body["concurrency"]) == (200, 3), "which is no change of how it is set up"
    for stale in (read, f'"x", {read}', '"1.1-00"', '"x"', f"W/{first.headers['ETag']}"):
        refused = await api.put("/endpoints/web", WISHES, headers={"If-Match": stale})
        assert (refused.status, refused.code) == (412, "endpoint_changed"), stale
    any_will_do = await api.put("/endpoints/web", change, headers={"If-Match": "*"})
    assert any_will_do.status == 200
    one_of_them = f'"x", {any_will_do.headers["ETag"]}'
    assert (await api.put("/endpoints/web", change, headers={"If-Match": one_of_them})).status == 200
    rotated = (await api.get("/endpoints/web")).headers["ETag"]
    assert (await api.post("/endpoints/web/rotate", {})).status == 200
    assert (await api.put("/endpoints/web", change, headers={"If-Match": rotated})).code == "endpoint_changed"
    moved = change | {"url": f"http://127.0.0.2:{receiver.port}/hook"}
    refused = await api.put("/endpoints/web", moved)
    assert refused.code == "endpoint_refused"
    assert "leads elsewhere" in refused.body["detail"]
    assert b"s3cret" not in refused.raw
    kept = await api.put("/endpoints/web", moved | {"headers": {}})
    assert (kept.status, kept.body["headers"]) == (200, [])


async def test_how_an_endpoint_has_fared_is_told_with_the_reasons(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    assert (await api.get("/endpoints/web/changes")).body == {"changes": []}
    assert (await api.post("/endpoints/web/pause", {"reason": "the engine is being moved"})).status == 200
    assert (await api.post("/endpoints/web/resume", {})).status == 200
    await api.desk.execute("update booking_engine.endpoint set failures = failures + 1")
    found = (await api.get("/endpoints/web/changes")).body["changes"]
    assert [(one["before"], one["status"], one["reason"]) for one in found] == [
        ("paused", "healthy", None),
        ("healthy", "paused", "the engine is being moved"),
    ]
    assert found[0]["at"] > found[1]["at"]
    for status in ("degraded", "healthy") * 60:
        await api.desk.execute("update booking_engine.endpoint set status = %s", [status])
    assert len((await api.get("/endpoints/web/changes")).body["changes"]) == 100
    assert await api.value("select count(*) from booking_engine.endpoint_change") == 100
    assert (await api.get("/endpoints/none/changes")).code == "unknown_endpoint"
    assert (await api.call("DELETE", "/endpoints/web")).status == 204
    assert await api.value("select count(*) from booking_engine.endpoint_change") == 0


async def test_a_secret_of_ones_own_makes_adding_safe_to_repeat_and_is_never_shown(
    api: Api, receiver: Receiver
) -> None:
    first = await added(api, receiver)
    assert first.body["secret"] is None
    again = await api.post("/endpoints", WISHES | {"name": "web", "url": receiver.url})
    assert (again.status, again.code) == (422, "endpoint_refused")
    assert "web" in again.body["detail"]


async def test_one_with_a_key_pair_shows_the_public_one_alone(api: Api, receiver: Receiver) -> None:
    answer = await api.post("/endpoints", WISHES | {"name": "web", "url": receiver.url, "sign": "ed25519"})
    assert answer.body["secret"] is None
    assert answer.body["public_key"].startswith("whpk_")


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"url": "ftp://engine.example/"}, "endpoint_refused"),
        ({"url": "http://10.1.2.3/hook"}, "endpoint_refused"),
        ({"url": "http://169.254.169.254/latest"}, "endpoint_refused"),
        ({"secret": "hunter2-hunter2"}, "endpoint_refused"),
        ({"hotels": []}, "invalid_request"),
        ({"hotels": [99]}, "unknown_hotel"),
        ({"types": ["nights"]}, "invalid_request"),
        ({"name": "a/b"}, "invalid_request"),
        ({"concurrency": 0}, "invalid_request"),
    ],
)
async def test_what_cannot_be_an_endpoint_is_refused(
    api: Api, receiver: Receiver, wishes: dict[str, Any], code: str
) -> None:
    answer = await api.post("/endpoints", WISHES | {"name": "web", "url": receiver.url} | wishes)
    assert answer.code == code, answer.body
    assert b"hunter2" not in answer.raw
    assert await api.value("select count(*) from booking_engine.endpoint") == 0


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


async def test_an_endpoint_is_paused_resumed_disabled_and_enabled(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    paused = await api.post("/endpoints/web/pause", {"reason": "moving house"})
    assert (paused.body["status"], paused.body["reason"], paused.body["next_try_at"]) == (
        "paused",
        "moving house",
        None,
    )
    assert (await api.post("/endpoints/web/resume")).body["status"] == "healthy"
    disabled = await api.post("/endpoints/web/disable")
    assert disabled.body["status"] == "disabled"
    for word, body in (("pause", {}), ("resume", None)):
        assert (await api.post(f"/endpoints/web/{word}", body)).code == "endpoint_disabled"
    enabled = await api.post("/endpoints/web/enable")
    assert (enabled.body["status"], enabled.body["first_sync_due"]) == ("healthy", True)


async def test_a_secret_is_rotated_and_the_one_before_signs_on(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    rotated = await api.post("/endpoints/web/rotate", {"grace_seconds": 60})
    assert rotated.status == 200, rotated.body
    assert rotated.body["secret"].startswith("whsec_")
    assert rotated.body["old_secret_until"] is not None
    assert (await api.post("/endpoints/web/test")).body["outcome"] == "delivered", "the receiver knows the old one"
    assert (await api.post("/endpoints/web/rotate", {})).code == "endpoint_refused", "the grace goes on"


async def test_what_endpoints_lack_is_listed_tried_again_and_skipped(api: Api, receiver: Receiver) -> None:
    await added(api, receiver)
    await lacking(api, "web", hotel=1)
    await lacking(api, "web", hotel=2, kind="booking", error="HTTP 422")
    found = (await api.get("/deliveries")).body
    assert [(one["kind"], one["last_error"], one["tries"]) for one in found["deliveries"]] == [
        ("booking", "HTTP 422", 6),
        ("hotel", None, 0),
    ]
    assert (await api.get("/deliveries", limit=1)).body["more"] is True
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


async def test_who_writes_documents_goes_first(api: Api, receiver: Receiver) -> None:
    """What needs the list of endpoints to itself waits a few seconds, and can be asked again as it was."""
    await added(api, receiver, hotels=[1])
    asked, once = {"endpoint": "web"}, {"Idempotency-Key": "replay-1"}
    calls: list[Callable[[], Awaitable[Answered]]] = [
        lambda: api.post("/replays", asked, headers=once),
        lambda: api.post("/endpoints", WISHES | {"name": "two", "url": receiver.url}),
        lambda: api.put("/endpoints/web", WISHES),
        lambda: api.post("/endpoints/web/enable"),
    ]
    async with await psycopg.AsyncConnection.connect(api.database.dsn) as projector:
        await projector.execute("lock table booking_engine.endpoint in row share mode")
        for answer in await asyncio.gather(*(call() for call in calls)):
            assert (answer.status, answer.code) == (503, "unavailable")
            assert answer.headers["Retry-After"]
        assert await api.value("select count(*) from booking_engine.endpoint") == 1
    assert [(await call()).status for call in calls] == [202, 201, 200, 200]


_READ = """
    select
        (select coalesce(seq_scan, 0) + coalesce(idx_scan, 0)
        from pg_stat_xact_user_tables
        where relid = 'booking_engine.behind'::regclass),
        exists (
            select
            from pg_locks
            where relation = 'booking_engine.endpoint'::regclass and mode = 'ExclusiveLock'
                and pid = pg_backend_pid())
"""


@pytest.mark.parametrize("call", ["change", "enable"])
async def test_nothing_is_counted_while_writers_of_documents_wait(
    api: Api, receiver: Receiver, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million marks take a second to count; the server says how often the marks were read."""
    await added(api, receiver)
    await lacking(api, "web", error="HTTP 422")
    reads: list[tuple[int, bool]] = []
    keep, lock = idempotency.keep, endpoints.lock

    async def reading(conn: psycopg.AsyncConnection[Any]) -> None:
        (row,) = await (await conn.execute(_READ)).fetchall()
        reads.append(row)

    async def locking(conn: psycopg.AsyncConnection[Any]) -> None:
        await lock(conn)
        await reading(conn)

    async def keeping(conn: psycopg.AsyncConnection[Any], *given: Any) -> None:
        await reading(conn)
        await keep(conn, *given)

    monkeypatch.setattr(endpoints, "lock", locking)
    monkeypatch.setattr(idempotency, "keep", keeping)
    answer = await (api.put("/endpoints/web", WISHES) if call == "change" else api.post("/endpoints/web/enable"))
    (before, locked), (after, still) = reads
    assert (locked, still) == (True, True)
    assert before == after > 0
    assert (answer.status, answer.body["behind"], answer.body["refused"]) == (200, 1, 1)
    assert answer.body["behind_since"] is not None


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
