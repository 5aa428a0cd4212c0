"""How often a key may ask, and how often one may guess."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.servers import ON_PG18

pytestmark = ON_PG18


async def test_a_key_has_so_many_requests_a_minute(api: Api) -> None:
    key = await api.key(requests_per_minute=5)
    answers = [await api.get("/hotels", key=key) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=5;w=60'
    assert answers[0].headers["RateLimit"].startswith('"minute";r=4;t=')
    refused = answers[-1]
    assert refused.code == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"minute";r=0;t=')
    assert (await api.get("/hotels")).status == 200  # another key's requests are its own


async def test_who_tries_keys_is_no_longer_heard(api: Api) -> None:
    answers = [await api.get("/hotels", key=f"wrong{n}") for n in range(70)]
    assert answers[0].status == 401
    assert answers[-1].status == 429
    assert (await api.get("/hotels")).status == 200
