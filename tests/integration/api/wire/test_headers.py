"""What every answer says beside its body: ETags, what keeps browsers safe, and no more."""

from __future__ import annotations

from api.request.codes import CODES
from tests.integration.api.wire.problems import is_problem
from tests.support.api import Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


async def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    for path in ("/hotels", "/hotels/1", "/room-types/1", "/plans/1"):
        tag = (await api.get(path)).headers["ETag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await api.get(path, headers={"If-None-Match": given})
            assert (again.status, again.raw) == (304, b""), (path, given)
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == "private, no-cache"
        assert (await api.get(path, headers={"If-None-Match": '"other"'})).status == 200


async def test_a_change_is_another_etag(api: Api) -> None:
    tag = (await api.get("/room-types/1")).headers["ETag"]
    async with api.desk.transaction():
        await api.desk.execute("select set_config('my_app.user_id', '1', true)")
        await api.desk.execute("update room_types set description = 'new' where hotel_id = 1")
    await api.project()
    answer = await api.get("/room-types/1", headers={"If-None-Match": tag})
    assert answer.status == 200
    assert {one["description"] for one in answer.body["room_types"]} == {"new"}


async def test_staleness_is_another_etag(api: Api) -> None:
    tag = (await api.get("/hotels")).headers["ETag"]
    await api.desk.execute(
        "update booking_engine.checkpoint set committed_at = clock_timestamp() - interval '1 minute'"
    )
    api.context.freshness._standing = None
    answer = await api.get("/hotels", headers={"If-None-Match": tag})
    assert (answer.status, answer.body["stale"]) == (200, True)


async def test_answers_keep_browsers_safe_and_name_no_software(api: Api) -> None:
    for path in ("/hotels", "/nothing", "//livez", "/docs", "/openapi.json"):
        headers = (await api.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert "Cache-Control" in headers, path
        assert "Server" not in headers, path


async def test_a_plain_request_id_is_kept_and_no_other(api: Api) -> None:
    kept = await api.get("/hotels", headers={"X-Request-Id": "my-request.1"})
    assert kept.headers["X-Request-Id"] == "my-request.1"
    for other in ("short", "x" * 65, "with space 123", "<script>123"):
        assert (await api.get("/hotels", headers={"X-Request-Id": other})).headers["X-Request-Id"] != other


async def test_the_document_and_its_pages_need_no_key(api: Api) -> None:
    document = await api.get("/openapi.json", key=None)
    assert document.body["openapi"].startswith("3.1")
    assert document.headers["Content-Type"].startswith("application/json")
    docs = await api.get("/docs", key=None)
    assert docs.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'sha256-" in docs.headers["Content-Security-Policy"]
    again = await api.get("/docs", key=None, headers={"If-None-Match": docs.headers["ETag"]})
    assert (again.status, again.raw) == (304, b"")


async def test_every_problem_s_type_leads_to_its_page(api: Api) -> None:
    for code in CODES:
        page = await api.get(f"//{'api/booking-engine/problems/' + code}", key=None)
        assert page.status == 200
        assert code in page.raw.decode()
    assert is_problem(await api.get("/problems/nothing", key=None), 404, "not_found")
