"""What callers send that cannot be: every error a problem that points to it."""

from __future__ import annotations

import gzip
from typing import Any

from tests.integration.api.wire.problems import is_problem
from tests.support.api import Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18

JSON = {"Content-Type": "application/json"}
NO_CLIENT = "00000000-0000-4000-8000-000000000000"


async def test_where_nothing_is_says_so(api: Api) -> None:
    for path in ("//", "//nothing", "/nothing", "/hotels/1/nothing", "//api/booking-engine", "//.env"):
        assert is_problem(await api.get(path), 404, "not_found"), path
        assert is_problem(await api.get(path, key=None), 404, "not_found"), path


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


async def test_a_hotel_is_a_number(api: Api) -> None:
    for hotel in ("abc", "0", "-1", "1.5", "2147483648", "99999999999999999999", "1%00", "%E2%80%AE"):
        answer = await api.get(f"/hotels/{hotel}")
        assert is_problem(answer, 422, "invalid_request"), hotel
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


async def test_broken_json_is_told_so(api: Api) -> None:
    for body in (b"", b"{", b"{]", b'{"client_id": 1', b"\xff\xfe", b'{"client_id": "\\ud800"}', b"nope"):
        assert is_problem(await api.call("PUT", "/auth/user/u1", data=body, headers=JSON), 400, "broken_json"), body


async def test_wrong_fields_are_pointed_to(api: Api) -> None:
    bodies: list[tuple[Any, str]] = [
        ({}, "/client_id"),
        ({"client_id": 1}, "/client_id"),
        ({"client_id": None}, "/client_id"),
        ({"client_id": "x"}, "/client_id"),
        ({"client_id": NO_CLIENT, "more": 1}, "/more"),
        ({"client_id": [NO_CLIENT]}, "/client_id"),
        ([], ""),
        ("text", ""),
        (7, ""),
    ]
    for body, pointer in bodies:
        answer = await api.put("/auth/user/u1", body)
        assert is_problem(answer, 422, "invalid_request"), body
        assert [(e["in"], e["pointer"]) for e in answer.body["errors"]] == [("body", pointer)]


async def test_a_type_is_not_guessed(api: Api) -> None:
    for seconds in (b'"60"', b"true", b"60.5", b"null", b"1e400"):
        answer = await api.call("POST", "/auth/token", data=b'{"seconds": %s}' % seconds, headers=JSON)
        assert is_problem(answer, 422, "invalid_request"), seconds
        assert answer.body["errors"][0]["pointer"] == "/seconds"


async def test_a_nul_character_is_nothing_to_store(api: Api) -> None:
    answer = await api.call("POST", "/auth/token", data=b'{"user_id": "a\\u0000b"}', headers=JSON)
    assert is_problem(answer, 422, "invalid_request")


async def test_a_body_is_declared_to_be_json(api: Api) -> None:
    for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/xml", "json"):
        headers = {"Content-Type": kind} if kind else {}
        answer = await api.call("PUT", "/auth/user/u1", data=b"{}", headers=headers)
        assert is_problem(answer, 415, "unsupported_media_type"), kind


async def test_a_compressed_body_is_refused_and_not_unpacked(api: Api) -> None:
    # What a thousandth of it takes to send would keep everybody waiting while it is unpacked.
    plain = b'{"token": "x"}'
    large = gzip.compress(b" " * 20_000_000 + plain)
    for data, how in ((gzip.compress(plain), "gzip"), (large, "gzip"), (plain, "br"), (plain, "x")):
        headers = {"Content-Type": "application/json", "Content-Encoding": how}
        answer = await api.call("POST", "/auth/validate-token", data=data, headers=headers)
        assert is_problem(answer, 415, "unsupported_media_type"), how
    headers["Content-Encoding"] = "Identity"
    assert (await api.call("POST", "/auth/validate-token", data=plain, headers=headers)).status == 200


async def test_a_body_over_256_kb_is_refused(api: Api) -> None:
    large = b'{"token": "' + b"x" * 256 * 1024 + b'"}'
    assert is_problem(await api.call("POST", "/auth/token", data=large, headers=JSON), 413, "body_too_large")


async def test_a_body_that_does_not_say_its_length_is_refused_when_it_is_too_large(api: Api) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 10_000

    sent = {**JSON, "Authorization": f"Bearer {api.mine}"}
    async with api.http.post(f"{api.url}/auth/token", data=pieces(), headers=sent) as answer:
        assert answer.status == 413
        assert (await answer.json(content_type=None))["code"] == "body_too_large"


async def test_nobody_without_a_key_has_his_body_looked_at(api: Api) -> None:
    answer = await api.call("PUT", "/auth/user/u1", key=None, data=b"{", headers=JSON)
    assert is_problem(answer, 401, "unauthorized")
