"""Endpoints: added, read, changed, paused, removed, and told how they fared."""

from __future__ import annotations

from typing import Any

from outbox import signing
from tests.integration.api.control.arrangement import WISHES, added, lacking
from tests.integration.delivery.receiver import Receiver
from tests.support.api import Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


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


async def test_what_cannot_be_an_endpoint_is_refused(api: Api, receiver: Receiver) -> None:
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"url": "ftp://engine.example/"}, "endpoint_refused"),
        ({"url": "http://10.1.2.3/hook"}, "endpoint_refused"),
        ({"url": "http://169.254.169.254/latest"}, "endpoint_refused"),
        ({"secret": "hunter2-hunter2"}, "endpoint_refused"),
        ({"hotels": []}, "invalid_request"),
        ({"hotels": [99]}, "unknown_hotel"),
        ({"types": ["nights"]}, "invalid_request"),
        ({"name": "a/b"}, "invalid_request"),
        ({"concurrency": 0}, "invalid_request"),
    ]
    for wishes, code in refusals:
        answer = await api.post("/endpoints", WISHES | {"name": "web", "url": receiver.url} | wishes)
        assert answer.code == code, answer.body
        assert b"hunter2" not in answer.raw
    assert await api.value("select count(*) from booking_engine.endpoint") == 0


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
