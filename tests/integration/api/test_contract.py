"""The API against its own document: schemathesis makes the requests, also wrong ones, and follows the links."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api, template_with_documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth,"
    "use_after_free,ensure_resource_availability"
)

# RFC 6585's status for a change without If-Match is not among those that schemathesis knows.
CONFIG = """
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 406, 415, 422, 428]
"""


@pytest.fixture
def in_step(pg18: Server) -> Iterator[Database]:
    """One PostgreSQL: what the document promises does not depend on it."""
    with fresh_database(pg18, template_with_documents(pg18)) as database:
        yield database


async def test_every_answer_is_as_documented(api: Api, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    # It waits for an answer ten seconds: nobody waits for events, and a stream ends at once.
    await api.house.heads.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json",
        "--header", f"Authorization: Bearer {api.mine}",
        "--checks", CHECKS, "--max-examples", "8", "--seed", "1", "--no-color", "--workers", "1",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    links = re.search(r"API Links: +(\d+) covered", said)
    assert links, said
    assert int(links[1]) >= 5, said
