"""The closed list of errors: well formed, used, and documented."""

import re
from pathlib import Path

import pytest

from api.app import ROUTES
from api.openapi.errors import explain, render
from api.openapi.parts import codes
from api.request.codes import CODES
from api.request.problems import Fault, Problem

ROOT = Path(__file__).parents[3]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "ERRORS.md").read_text() == render(), "python -m api.openapi.errors"


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_happened_and_what_to_do(code: str) -> None:
    kind = CODES[code]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    assert 400 <= kind.status < 600
    assert kind.meaning.endswith(".")
    assert kind.remedy.endswith(".")
    assert kind.title.encode() in explain(code)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_raised_somewhere(code: str) -> None:
    sources = [path.read_text() for path in (ROOT / "api").rglob("*.py") if path.name != "problems.py"]
    assert any(f'"{code}"' in source for source in sources)


def test_routes_name_codes_that_there_are() -> None:
    for route in ROUTES:
        assert set(route.problems) <= set(CODES), route.name
        assert codes(route)


def test_a_body_is_rfc_9457() -> None:
    faults = [Fault("/rooms/0", "x")]
    problem = Problem("invalid_request", "Wrong.", faults=faults, hint=1)
    assert problem.body("r") == {
        "type": "/api/booking-engine/problems/invalid_request",
        "title": "Invalid request",
        "status": 422,
        "code": "invalid_request",
        "detail": "Wrong.",
        "request_id": "r",
        "errors": [{"in": "body", "pointer": "/rooms/0", "detail": "x"}],
        "hint": 1,
    }


def test_an_unknown_code_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        Problem("no_such_code")
