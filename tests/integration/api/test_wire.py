"""What the API says on the wire: every error a problem, every answer with its headers, nothing given away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import structlog

from api.request import parsing
from api.request.codes import CODES
from sql import content as stored
from tests.support.api import BACKGROUND, Answered, Api

NO_CLIENT = "00000000-0000-4000-8000-000000000000"


def is_problem(answer: Answered, status: int, code: str) -> bool:
    """Whether an answer is this problem, with all that each has."""
    said = answer.body
    return (
        answer.status == said["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and said["code"] == code
        and said["type"] == f"/api/booking-engine/problems/{code}"
        and said["title"] == CODES[code].title
        and said["request_id"] == answer.headers["X-Request-Id"]
    )


# -- paths and methods


@pytest.mark.parametrize(
    "path", ["//", "//nothing", "/nothing", "/hotels/1/nothing", "//api/booking-engine", "//.env"]
)
async def test_where_nothing_is_says_so(api: Api, path: str) -> None:
    assert is_problem(await api.get(path), 404, "not_found")
    assert is_problem(await api.get(path, key=None), 404, "not_found")


async def test_another_method_is_told_which_there_are(api: Api) -> None:
    answer = await api.call("DELETE", "/hotels")
    assert is_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD"}
    assert is_problem(await api.call("OPTIONS", "/auth/token"), 405, "method_not_allowed")


async def test_head_says_what_get_would_without_the_body(api: Api) -> None:
    read, head = await api.get("/hotels"), await api.call("HEAD", "/hotels")
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["ETag"] == read.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(read.raw))


# -- bad input


@pytest.mark.parametrize(
    "hotel", ["abc", "0", "-1", "1.5", "2147483648", "99999999999999999999", "1%00", "%E2%80%AE"]
)
async def test_a_hotel_is_a_number(api: Api, hotel: str) -> None:
    answer = await api.get(f"/hotels/{hotel}")
    assert is_problem(answer, 422, "invalid_request")
    assert [(e["in"], e["pointer"]) for e in answer.body["errors"]] == [("path", "/hotel_id")]


async def test_unknown_and_doubled_parameters_are_pointed_to(api: Api) -> None:
    answer = await api.get("/hotels/1?nothing=1")
    assert is_problem(answer, 422, "invalid_request")
    assert answer.body["errors"][0] | {"detail": ""} == {"in": "query", "pointer": "/nothing", "detail": ""}
    doubled = await api.get("/hotels/1?x=1&x=2")
    assert [e["detail"] for e in doubled.body["errors"]] == ["It is given more than once."]
    smuggled = await api.get("/hotels/1?hotel_id=2")
    assert is_problem(smuggled, 422, "invalid_request")


async def test_names_are_escaped_in_pointers(api: Api) -> None:
    answer = await api.get("/hotels/1?a/b~c=1")
    assert answer.body["errors"][0]["pointer"] == "/a~1b~0c"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{]", b'{"client_id": 1', b"\xff\xfe", b'{"client_id": "\\ud800"}', b"nope"]
)
async def test_broken_json_is_told_so(api: Api, body: bytes) -> None:
    answer = await api.call("PUT", "/auth/user/u1", data=body, headers={"Content-Type": "application/json"})
    assert is_problem(answer, 400, "broken_json")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/client_id"]),
        ({"client_id": 1}, ["/client_id"]),
        ({"client_id": None}, ["/client_id"]),
        ({"client_id": "x"}, ["/client_id"]),
        ({"client_id": NO_CLIENT, "more": 1}, ["/more"]),
        ({"client_id": [NO_CLIENT]}, ["/client_id"]),
        ([], [""]),
        ("text", [""]),
        (7, [""]),
    ],
)
async def test_wrong_fields_are_pointed_to(api: Api, body: Any, pointers: list[str]) -> None:
    answer = await api.put("/auth/user/u1", body)
    assert is_problem(answer, 422, "invalid_request")
    assert [e["pointer"] for e in answer.body["errors"]] == pointers
    assert {e["in"] for e in answer.body["errors"]} == {"body"}


@pytest.mark.parametrize("seconds", ["60", True, 60.5, None, 1e400])
async def test_a_type_is_not_guessed(api: Api, seconds: Any) -> None:
    raw = b'{"seconds": 1e400}' if seconds == 1e400 else None
    answer = await api.call(
        "POST",
        "/auth/token",
        json=None if raw else {"seconds": seconds},
        data=raw,
        headers={"Content-Type": "application/json"},
    )
    assert is_problem(answer, 422, "invalid_request")
    assert answer.body["errors"][0]["pointer"] == "/seconds"


async def test_a_nul_character_is_nothing_to_store(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.call("POST", "/auth/token", data=b'{"user_id": "a\\u0000b"}', headers=headers)
    assert is_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml", "json"]
)
async def test_a_body_is_declared_to_be_json(api: Api, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await api.call("PUT", "/auth/user/u1", data=b"{}", headers=headers)
    assert is_problem(answer, 415, "unsupported_media_type")


async def test_a_body_over_256_kb_is_refused(api: Api) -> None:
    large = b'{"token": "' + b"x" * 256 * 1024 + b'"}'
    headers = {"Content-Type": "application/json"}
    assert is_problem(await api.call("POST", "/auth/token", data=large, headers=headers), 413, "body_too_large")


async def test_a_body_that_does_not_say_its_length_is_refused_when_it_is_too_large(api: Api) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 10_000

    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {api.mine}"}
    async with api.http.post(f"{api.url}/auth/token", data=pieces(), headers=sent) as answer:
        assert answer.status == 413
        assert (await answer.json(content_type=None))["code"] == "body_too_large"


async def test_nobody_without_a_key_has_his_body_looked_at(api: Api) -> None:
    answer = await api.call(
        "PUT", "/auth/user/u1", key=None, data=b"{", headers={"Content-Type": "application/json"}
    )
    assert is_problem(answer, 401, "unauthorized")


async def exchange(api: Api, sent: bytes) -> bytes:
    """The problem that comes back for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.split(":")[2].split("/")[0]))
    try:
        writer.write(sent)
        async with asyncio.timeout(60):
            return await reader.readuntil(b"}")
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization Bearer s3cret\r\n\r\n",
        b"s3cret\r\n\r\n",
        b"GET /" + b"s3cret" * 2_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"s3cret" * 9_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nX: s3cret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: s3cret\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_told_so_and_not_repeated(api: Api, sent: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await exchange(api, sent)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert b'"code":"bad_http"' in body
    assert b"s3cret" not in answer
    assert b"aiohttp" not in answer
    assert not [line for line in logs if line["event"] not in BACKGROUND]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"bad_http"),
        (b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", b"bad_http"),
        (b"Content-Length: 40\r\n\r\n{", b"request_timeout"),
    ],
)
async def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, body: bytes, code: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "BODY_SECONDS", 0.2)
    head = f"POST /api/booking-engine/auth/token HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.mine}\r\n"
    with structlog.testing.capture_logs() as logs:
        answer = await exchange(
            api, head.encode() + b"Connection: close\r\nContent-Type: application/json\r\n" + body
        )
    assert b'"code":"' + code in answer
    assert not [line for line in logs if line["event"] not in BACKGROUND]


# -- ETags


@pytest.mark.parametrize("path", ["/hotels", "/hotels/1", "/room-types/1", "/plans/1"])
async def test_what_has_not_changed_is_not_sent_again(api: Api, path: str) -> None:
    first = await api.get(path)
    tag = first.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await api.get(path, headers={"If-None-Match": given})
        assert (again.status, again.raw) == (304, b""), given
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
    api.house.freshness._standing = None
    answer = await api.get("/hotels", headers={"If-None-Match": tag})
    assert (answer.status, answer.body["stale"]) == (200, True)


# -- headers


@pytest.mark.parametrize("path", ["/hotels", "/nothing", "//livez", "/docs", "/openapi.json"])
async def test_answers_keep_browsers_safe_and_name_no_software(api: Api, path: str) -> None:
    headers = (await api.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Cache-Control" in headers
    assert "Server" not in headers


async def test_a_plain_request_id_is_kept_and_no_other(api: Api) -> None:
    kept = await api.get("/hotels", headers={"X-Request-Id": "my-request.1"})
    assert kept.headers["X-Request-Id"] == "my-request.1"
    for other in ("short", "x" * 65, "with space 123", "<script>123"):
        assert (await api.get("/hotels", headers={"X-Request-Id": other})).headers["X-Request-Id"] != other


# -- our own faults


async def test_a_fault_of_ours_gives_nothing_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("guest Tanaka, 090-5555-0187")

    monkeypatch.setattr(stored, "hotels", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await api.get("/hotels")
    assert is_problem(answer, 500, "internal_error")
    assert answer.body["detail"] == CODES["internal_error"].meaning
    (line,) = [line for line in logs if line["event"] == "api_error"]
    assert line["request_id"] == answer.body["request_id"]
    assert line["error"] == "RuntimeError"
    assert "list_hotels" in line["where"]
    assert "Tanaka" not in str(logs) + answer.raw.decode()
    assert api.mine not in str(logs)


async def test_a_database_that_is_away_is_503(api: Api) -> None:
    await api.house.pool.close()
    with structlog.testing.capture_logs() as logs:
        answer = await api.get("/hotels")
    assert is_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert [line["event"] for line in logs if line["event"] not in BACKGROUND] == ["api_unavailable"]


async def test_a_connection_that_broke_is_503_and_heals(api: Api) -> None:
    assert (await api.get("/hotels")).status == 200
    await api.desk.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'roomwire api'"
    )
    answers = [await api.get("/hotels") for _ in range(12)]
    assert {answer.status for answer in answers} <= {200, 503}
    assert answers[-1].status == 200


async def test_a_lock_that_is_not_to_be_had_is_503_in_less_than_a_second(api: Api) -> None:
    await api.get("/hotels")
    async with api.desk.transaction():
        await api.desk.execute("lock booking_engine.document in access exclusive mode")
        async with asyncio.timeout(8):  # a statement may take ten
            assert is_problem(await api.get("/room-types/1"), 503, "unavailable")


# -- the pages


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
