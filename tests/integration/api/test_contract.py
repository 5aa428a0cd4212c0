"""The API against its own document: schemathesis makes the requests, also wrong ones, and follows the links."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.app import ROUTES
from api.metrics import REQUESTS
from api.quotes import tokens
from api.request.problems import BASE
from tests.integration.api.bookings.stays import FAR, HOTEL
from tests.support.api import Api, template_with_documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth,"
    "use_after_free,ensure_resource_availability"
)

# What links fill in is left out of narrowed bodies, and would be taken for wrong; what is cancelled can be read.
FLOW_CHECKS = CHECKS.replace("negative_data_rejection,", "").replace("use_after_free,", "")

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


async def schemathesis(api: Api, folder: Path, document: str, *options: str) -> str:
    """What schemathesis says of the API, held against a document; it found nothing wrong."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", document, "--url", api.url,
        "--header", f"Authorization: Bearer {api.mine}",
        "--seed", "1", "--no-color", "--workers", "1", *options,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


async def test_every_answer_is_as_documented(api: Api, tmp_path: Path) -> None:
    # It waits for an answer ten seconds: nobody waits for events, and a stream ends at once.
    await api.context.heads.close()
    said = await schemathesis(
        api, tmp_path, f"{api.url}/openapi.json", "--exclude-tag", "Operations",  # which have a test of their own
        "--checks", CHECKS, "--max-examples", "8",
    )  # fmt: skip
    assert operations_tested(said) == sum(route.tag != "Operations" for route in ROUTES), said
    links = re.search(r"API Links: +(\d+) covered", said)
    assert links, said
    assert int(links[1]) >= 5, said


def operations_tested(said: str) -> int:
    """How many operations schemathesis says that it tested."""
    found = re.search(r"Tested: +(\d+)", said)
    return int(found[1]) if found else 0


NARROWED: dict[str, dict[str, Any]] = {
    "hotel_id": {"const": HOTEL},
    "plan_key": {"enum": ["1h1", "2h"]},
    "number_of_people": {"const": 1},
    "guests": {"maxItems": 1},
    "rooms": {"maxItems": 2},
}
"""What of a request's body is to be had at the tests' hotel, beside room types and days."""


def narrow(document: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The document with bodies that ask only for what there is, so that they are granted."""
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("Asked", "Booked", "Held")):
            for field, values in known.items():
                if field in schema.get("properties", {}):
                    schema["properties"][field] |= values
            for field in ("expected_total", "user_id", "hold_id", "quote"):
                if field in schema.get("properties", {}) and name != "TokenAsked":
                    del schema["properties"][field]
    return document


FLOW = {
    ("POST", "/quotes", 200),
    ("POST", "/bookings", 201),
    ("GET", "/bookings/{booking_id}", 200),
    ("PUT", "/bookings/{booking_id}", 200),
    ("DELETE", "/bookings/{booking_id}", 200),
    ("POST", "/holds", 201),
    ("DELETE", "/holds/{hold_id}", 204),
}


def counted() -> dict[tuple[str, str, int], float]:
    """How often each of the flow's answers was given."""
    return {(m, path, status): REQUESTS.labels(BASE + path, m, status)._value.get() for m, path, status in FLOW}


async def test_a_stay_is_quoted_booked_read_changed_and_cancelled_by_its_links(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, quotes, verify = counted(), [], tokens.verify

    def verified(*given: Any) -> tokens.Quoted:
        quotes.append(verify(*given))
        return quotes[-1]

    monkeypatch.setattr(tokens, "verify", verified)
    kinds = await api.rows(
        "select room_type_id from rooms where hotel_id = %s and for_sale and not is_staff_room"
        " group by 1 having count(*) >= 5 order by 1",
        HOTEL,
    )
    days = [str(api.day(FAR + n)) for n in range(14)]
    known = NARROWED | {
        "room_type_id": {"enum": [kind for (kind,) in kinds]},
        "check_in": {"enum": days[:7]},
        "check_out": {"enum": days[7:]},
    }
    document = narrow((await api.get("/openapi.json", key=None)).body, known)
    (tmp_path / "narrowed.json").write_bytes(orjson.dumps(document))
    wanted = (
        "makeQuote",
        "makeBooking",
        "readBooking",
        "changeBooking",
        "cancelBooking",
        "makeHold",
        "releaseHold",
    )
    only = [word for name in wanted for word in ("--include-operation-id", name)]
    said = await schemathesis(
        api, tmp_path, str(tmp_path / "narrowed.json"), "--phases", "stateful", "--mode", "positive",
        "--checks", FLOW_CHECKS,
        "--max-examples", "40", *only,
    )  # fmt: skip
    after = counted()
    assert {answer for answer in FLOW if after[answer] == before[answer]} == set(), said
    assert quotes, "nothing was booked by a quote"
