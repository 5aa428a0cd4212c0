"""Quotes as signed tokens: what was quoted travels with the client, and nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import jwt

from api.request.problems import Problem
from outbox.secrets import Secrets

QUOTE_SECONDS = 900
_ALGORITHM = "HS256"
_ISSUER = "roomwire"
_AUDIENCE = "roomwire-quote"
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "hotel", "check_in", "check_out", "rooms", "total", "net"]


class QuotedRoom(NamedTuple):
    """One room of a stay, for all of its nights."""

    room_type_id: int
    plan_key: str
    number_of_people: int


@dataclass(frozen=True, slots=True)
class Stay:
    """What is quoted and booked: rooms of one hotel for the nights of [check_in, check_out)."""

    hotel_id: int
    check_in: date
    check_out: date
    rooms: Sequence[QuotedRoom]

    def same_as(self, other: "Stay") -> bool:
        """Whether it is the same stay, in whatever order its rooms are named."""
        mine, theirs = (
            (self.hotel_id, self.check_in, self.check_out),
            (other.hotel_id, other.check_in, other.check_out),
        )
        return mine == theirs and sorted(self.rooms) == sorted(other.rooms)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A valid quote. total: yen with tax; net_total: without; expires_at: UTC."""

    stay: Stay
    total: int
    net_total: int
    expires_at: datetime


def sign(secrets: Secrets, source: str, stay: Stay, total: int, net_total: int) -> tuple[str, datetime]:
    """A token that one client (`source`) may book with, and when it expires (UTC, whole seconds)."""
    now = datetime.now(UTC).replace(microsecond=0)
    expires_at = now + timedelta(seconds=QUOTE_SECONDS)
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": source,
        "iat": now,
        "exp": expires_at,
        "jti": str(uuid4()),
        "hotel": stay.hotel_id,
        "check_in": stay.check_in.isoformat(),
        "check_out": stay.check_out.isoformat(),
        "rooms": [list(room) for room in stay.rooms],
        "total": total,
        "net": net_total,
    }
    return jwt.encode(claims, secrets.derive("quotes")[0], _ALGORITHM), expires_at


def verify(secrets: Secrets, source: str, token: str) -> Quoted:
    """What a client's token quotes.

    Raises:
        Problem: `quote_invalid` or `quote_expired`.
    """
    claims = _claims(secrets, token)
    if claims["sub"] != source:
        raise Problem("quote_invalid")
    stay = Stay(
        hotel_id=claims["hotel"],
        check_in=date.fromisoformat(claims["check_in"]),
        check_out=date.fromisoformat(claims["check_out"]),
        rooms=tuple(QuotedRoom(*room) for room in claims["rooms"]),
    )
    return Quoted(stay, claims["total"], claims["net"], datetime.fromtimestamp(claims["exp"], UTC))


def _claims(secrets: Secrets, token: str) -> dict[str, Any]:
    """The claims of a token that any of our keys has signed."""
    for key in secrets.derive("quotes"):
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise Problem("quote_expired") from None
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError:
            break
        return claims
    raise Problem("quote_invalid")
