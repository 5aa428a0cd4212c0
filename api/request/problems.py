"""An error that the API answers with: the exception that carries its code, and its body.

Bodies follow RFC 9457 (application/problem+json); each code's page is served at the address that `type` names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from api.request.codes import CODES

BASE = "/api/booking-engine"
"""Where the API's paths begin."""
CONTENT_TYPE = "application/problem+json"

Place = Literal["body", "query", "path", "header"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request. pointer: RFC 6901, within the part that `place` names."""

    pointer: str
    detail: str
    place: Place = "body"

    def said(self) -> dict[str, str]:
        """As the answer says it."""
        return {"in": self.place, "pointer": self.pointer, "detail": self.detail}


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is an error.

    Args:
        code: one of CODES.
        detail: what happened to this very request; without it the code's meaning is said. Never a secret.
        faults: what is wrong with which field.
        headers: of the answer.
        extras: further members of the body.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **extras: Any,
    ) -> None:
        self.code = code
        self.kind = CODES[code]
        self.detail = detail or self.kind.meaning
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.extras = extras
        super().__init__(f"{code}: {self.detail}")

    @property
    def status(self) -> int:
        """The answer's HTTP status."""
        return self.kind.status

    def body(self, request_id: str | None = None) -> dict[str, Any]:
        """The answer's body; without a request's id it is the same for whoever gets it, fit for storing."""
        said: dict[str, Any] = {
            "type": f"{BASE}/problems/{self.code}",
            "title": self.kind.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if request_id:
            said["request_id"] = request_id
        if self.faults:
            said["errors"] = [fault.said() for fault in self.faults]
        return said | self.extras
