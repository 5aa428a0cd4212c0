"""The routes of administration against their own document, with a key that may use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import ROUTES
from outbox import signing
from tests.integration.api.test_contract import CHECKS, operations_tested, schemathesis
from tests.support.api import Api, template_with_documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database

ELSEWHERE = ("testEndpoint",)
"""It sends: whatever is made up for it must not leave the machine."""


@pytest.fixture
def in_step(pg18: Server) -> Iterator[Database]:
    """One PostgreSQL: what the document promises does not depend on it."""
    with fresh_database(pg18, template_with_documents(pg18)) as database:
        yield database


async def unknown(*_: object) -> None:
    """No name that is made up is looked up."""
    raise OSError


async def test_every_answer_is_as_documented(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outbox.delivery.reaching.find", unknown)
    await api.desk.execute(
        "insert into booking_engine.endpoint (name, url, secret, hotels) values ('sakura-web', %s, %s, '{1}')",
        ("https://engine.example/api/roomwire", api.context.secrets.encrypt(signing.new_secret())),
    )
    await api.desk.execute(
        "insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place, rejected_at)"
        " select e.id, d.kind, d.hotel_id, d.id, d.version, 0, 1, now()"
        " from booking_engine.endpoint e, booking_engine.document d where d.hotel_id = 1 and d.version > 0"
    )
    api.mine = await api.key(client="office", scopes=("admin",))
    said = await schemathesis(
        api, tmp_path, f"{api.url}/openapi.json", "--include-tag", "Operations",
        *(word for name in ELSEWHERE for word in ("--exclude-operation-id", name)),
        "--checks", CHECKS, "--phases", "examples,coverage",
    )  # fmt: skip
    operations = sum(route.tag == "Operations" for route in ROUTES)
    assert operations_tested(said) == operations - len(ELSEWHERE), said
