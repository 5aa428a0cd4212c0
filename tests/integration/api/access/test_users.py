"""An engine's users, who are clients of the PMS."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from tests.support.api import Api, same


async def client(api: Api) -> tuple[Any, ...]:
    """A client of the PMS who can be written to."""
    rows = await api.rows(
        "select id::text, coalesce(name_kanji, name_kana, name), email from clients where email is not null limit 1"
    )
    return rows[0]


async def test_a_user_is_a_client_of_the_pms(api: Api) -> None:
    client_id, name, email = await client(api)
    assert (await api.get("/auth/user/u1")).code == "unknown_user"
    linked = await api.put("/auth/user/u1", {"client_id": client_id})
    assert (linked.status, linked.body["client_id"]) == (200, client_id)
    read = (await api.get("/auth/user/u1")).body
    assert (read["name"], read["email"], read["linked_at"]) == (name, email, linked.body["linked_at"])


async def test_a_user_is_the_client_s_who_linked_him(api: Api) -> None:
    client_id, *_ = await client(api)
    await api.put("/auth/user/u1", {"client_id": client_id})
    other = await api.get("/auth/user/u1", key=await api.key(client="other"))
    absent = await api.get("/auth/user/u2")
    assert same(other, absent)


async def test_contacts_need_the_scope_guest_data(api: Api) -> None:
    client_id, *_ = await client(api)
    await api.put("/auth/user/u1", {"client_id": client_id})
    said = (await api.get("/auth/user/u1", key=await api.key(scopes=("read",)))).body
    assert said["client_id"] == client_id
    assert [said[name] for name in ("name", "name_kana", "email", "phone")] == [None] * 4


async def test_a_user_s_token_knows_no_other_user(api: Api) -> None:
    client_id, *_ = await client(api)
    for user in ("u1", "u2"):
        await api.put(f"/auth/user/{user}", {"client_id": client_id})
    token = (await api.post("/auth/token", {"user_id": "u1"})).body["access_token"]
    assert (await api.get("/auth/user/u1", key=token)).status == 200
    assert (await api.get("/auth/user/u2", key=token)).code == "unknown_user"
    assert (await api.post("/auth/token", {"user_id": "u2"}, key=token)).code == "unknown_user"
    linked = await api.put("/auth/user/u1", {"client_id": client_id}, key=token)
    assert (linked.status, linked.code) == (403, "insufficient_scope")


async def test_a_user_cannot_be_a_client_that_there_is_not(api: Api) -> None:
    answer = await api.put("/auth/user/u1", {"client_id": "00000000-0000-4000-8000-000000000000"})
    assert (answer.status, answer.code) == (404, "unknown_client")
    assert await api.value("select count(*) from booking_engine.engine_user") == 0


async def test_a_user_who_is_known_by_his_contact_only_is_found_or_made(api: Api) -> None:
    client_id, name, email = await client(api)
    before = await api.value("select count(*) from clients")
    known = await api.put("/auth/user/u1", {"guest": {"name": name, "email": email}})
    assert (known.status, known.body["client_id"]) == (200, client_id)
    assert await api.value("select count(*) from clients") == before
    guest = {"name": "山田 花子", "phone": "090-0000-0001"}
    key = {"Idempotency-Key": "made once"}
    made = await api.put("/auth/user/u2", {"guest": guest}, headers=key)
    assert (made.status, made.body["name"], made.body["phone"]) == (200, guest["name"], guest["phone"])
    assert (await api.put("/auth/user/u2", {"guest": guest}, headers=key)).raw == made.raw
    # Whom a client has linked its key knows from then on, of whatever hotels it is.
    again = await api.put("/auth/user/u3", {"guest": guest}, key=await api.key(hotels=(2,)))
    assert again.body["client_id"] == made.body["client_id"]
    assert await api.value("select count(*) from clients") == before + 1
    assert await api.value("select created_by from clients where id = %s", made.body["client_id"]) == 2


async def test_a_new_guest_who_is_named_several_times_at_once_is_one_client(api: Api) -> None:
    guest = {"name": "山田 花子", "email": f"{uuid4()}@example.jp"}
    answers = await asyncio.gather(*(api.put(f"/auth/user/n{n % 6}", {"guest": guest}) for n in range(12)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["client_id"] for answer in answers}) == 1
    assert await api.value("select count(*) from clients where email = %s", guest["email"]) == 1


async def test_a_stranger_s_contact_tells_nobody_that_he_is_a_client(api: Api) -> None:
    client_id = await api.value(
        "insert into clients (id, name, name_kanji, email, created_by, updated_by)"
        " values (gen_random_uuid(), 'T', '鈴木 一郎', 'ichiro@example.jp', 1, 1) returning id::text"
    )
    guest = {"name": "鈴木 一郎", "email": "ichiro@example.jp"}
    of_one = await api.put("/auth/user/u1", {"guest": guest}, key=await api.key(hotels=(2,), client="narrow"))
    assert of_one.status == 200
    assert of_one.body["client_id"] != client_id
    assert (await api.put("/auth/user/u1", {"guest": guest})).body["client_id"] == client_id


async def test_a_user_is_linked_in_one_way_that_finds_him(api: Api) -> None:
    client_id, name, email = await client(api)
    before = await api.value("select count(*) from clients")
    guest = {"name": name, "email": email}
    for body, pointer in (
        ({}, "/client_id"),
        ({"client_id": client_id, "guest": guest}, "/client_id"),
        ({"guest": {"name": name}}, "/guest/email"),
        ({"guest": {"email": email}}, "/guest/name"),
    ):
        wrong = await api.put("/auth/user/u1", body)
        assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (422, pointer)
    reads = await api.put("/auth/user/u1", {"guest": guest}, key=await api.key(scopes=("read", "guest-data")))
    assert (reads.status, reads.code, reads.body["scope"]) == (403, "insufficient_scope", "book")
    assert await api.value("select count(*) from booking_engine.engine_user") == 0
    assert await api.value("select count(*) from clients") == before
