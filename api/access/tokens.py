"""Tokens: JWTs of a quarter of an hour at most, made from a key and never allowed more than it.

A token names its key, which is looked up with every request: revoking or expiring the key ends its tokens too.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt

from api.access.scopes import Access, Scope
from outbox.secrets import Secrets

LONGEST_SECONDS = 900
_ALGORITHM = "HS256"
_ISSUER = "roomwire"
_AUDIENCE = "roomwire-api"
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "key", "scopes", "hotels"]
_LEEWAY = 5
_ALL = "all"
"""Every hotel. A claim that is null counts as missing."""


class TokenError(Exception):
    """A token is not valid; the message says why, without showing it."""


class Tokens:
    """Makes tokens with the newest secret key, and reads those of all that are in use."""

    def __init__(self, secrets: Secrets) -> None:
        derived = secrets.derive("tokens")
        self._keys = {hashlib.sha256(key).hexdigest()[:16]: key for key in derived}

    def make(self, access: Access, seconds: int) -> tuple[str, datetime]:
        """A token for this access and when it expires (UTC, whole seconds): never after what it is made from."""
        now = datetime.now(UTC).replace(microsecond=0)
        expires_at = now + timedelta(seconds=min(seconds, LONGEST_SECONDS))
        if access.expires_at is not None:
            expires_at = min(expires_at, access.expires_at.replace(microsecond=0))
        kid, key = next(iter(self._keys.items()))
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": access.source,
            "iat": now,
            "exp": expires_at,
            "jti": str(uuid4()),
            "key": access.key_id,
            "scopes": sorted(access.scopes),
            "hotels": _ALL if access.hotels is None else sorted(access.hotels),
            "user": access.user_id,
        }
        return jwt.encode(claims, key, _ALGORITHM, headers={"kid": kid}), expires_at

    def read(self, text: str) -> Mapping[str, Any]:
        """The claims of a token.

        Raises:
            TokenError: it is none of ours, was changed, or has expired.
        """
        try:
            key = self._keys.get(str(jwt.get_unverified_header(text).get("kid")))
            if key is None:
                raise TokenError("it was not signed with a key of ours that is still in use")
            claims: dict[str, Any] = jwt.decode(
                text,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise TokenError("it has expired") from None
        except jwt.PyJWTError:
            raise TokenError("it is not a token of ours, or was changed") from None
        return claims


def narrowed(access: Access, claims: Mapping[str, Any]) -> Access:
    """What a key's access comes to through a token with these claims: what both allow."""
    hotels = None if claims["hotels"] == _ALL else claims["hotels"]
    narrow = narrow_to(access, scopes=claims["scopes"], hotels=hotels, user_id=claims.get("user"))
    return replace(narrow, expires_at=datetime.fromtimestamp(claims["exp"], UTC))


def narrow_to(
    access: Access, *, scopes: Collection[Scope], hotels: Collection[int] | None, user_id: str | None
) -> Access:
    """The part of an access that is within these scopes and hotels."""
    if hotels is None:
        allowed = access.hotels
    else:
        allowed = frozenset(hotels) if access.hotels is None else access.hotels & frozenset(hotels)
    return replace(access, scopes=access.scopes & frozenset(scopes), hotels=allowed, user_id=user_id)
