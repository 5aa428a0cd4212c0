"""What every problem has."""

from __future__ import annotations

from api.request.codes import CODES
from tests.support.api import Answered


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
