"""Tokens over HTTP: a key becomes a short-lived token, and a token can be looked at."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from api.access.scopes import Scope
from api.access.tokens import LONGEST_SECONDS, narrow_to
from api.fields import AskedHotel, UserId
from api.lookup import AwayError
from api.request.problems import Problem
from api.request.routing import Answer, Asked, Call, Nothing, Reply, Returns, Route

Scopes = Annotated[list[Scope], Field(description="What it may do.")]
Hotels = Annotated[list[int] | None, Field(description="Of which hotels; null: of all.")]


class TokenWanted(Asked):
    """What a token shall be good for; it never allows more than the key."""

    scopes: list[Scope] | None = Field(None, description="Only these scopes; null: all of the key's.", min_length=1)
    hotels: list[AskedHotel] | None = Field(
        None, description="Only these hotels; null: all of the key's.", min_length=1, max_length=1000
    )
    user_id: UserId | None = Field(None, description="Only for this user of yours; null: for all.")
    seconds: int = Field(LONGEST_SECONDS, description="How long it is valid.", ge=10, le=LONGEST_SECONDS)


class TokenMade(Answer):
    """A token."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    token_type: str = Field("Bearer", description="Always `Bearer`.")
    expires_in: int = Field(description="Seconds until it expires.")
    expires_at: AwareDatetime = Field(description="When it expires (RFC 3339, UTC).")
    scopes: Scopes
    hotels: Hotels
    user_id: str | None = Field(description="The only user it is for; null: for all.")


class TokenShown(Asked):
    """A token or key to look at."""

    token: str = Field(description="The token.", min_length=1, max_length=8_000)


class TokenJudged(Answer):
    """Whether a token is valid, and what it allows. All but `valid` and `reason` is null where it is not."""

    valid: bool = Field(description="Whether it would be let in now, from where this request comes.")
    reason: str | None = Field(description="Why it is not valid.")
    client: str | None = Field(None, description="The client's name.")
    scopes: list[Scope] | None = Field(None, description="What it may do.")
    hotels: Hotels = None
    user_id: str | None = Field(None, description="The only user it is for.")
    expires_at: AwareDatetime | None = Field(None, description="When it expires; null: never.")


async def make_token(call: Call[Nothing, TokenWanted]) -> Reply:
    """Make a token that allows what both the caller's key and the body do."""
    wanted, access = call.body, call.access
    if wanted.scopes is not None and not access.scopes.issuperset(wanted.scopes):
        raise Problem("insufficient_scope", scope=sorted(set(wanted.scopes) - access.scopes)[0])
    for hotel_id in wanted.hotels or ():
        if not access.knows(hotel_id) or not await call.context.hotels.has(hotel_id):
            raise Problem("unknown_hotel")
    if access.user_id is not None and wanted.user_id not in {None, access.user_id}:
        raise Problem("unknown_user")
    narrow = narrow_to(
        access,
        scopes=access.scopes if wanted.scopes is None else wanted.scopes,
        hotels=wanted.hotels,
        user_id=wanted.user_id or access.user_id,
    )
    text, expires_at = call.context.gate.tokens.make(narrow, wanted.seconds)
    made = TokenMade(
        access_token=text,
        expires_in=max(round((expires_at - datetime.now(UTC)).total_seconds()), 0),
        expires_at=expires_at,
        scopes=sorted(narrow.scopes),
        hotels=None if narrow.hotels is None else sorted(narrow.hotels),
        user_id=narrow.user_id,
    )
    return Reply(made, headers={"Cache-Control": "no-store"})


async def validate_token(call: Call[Nothing, TokenShown]) -> Reply:
    """Say whether a token of the caller's own client would be let in."""
    try:
        access, _ = await call.context.gate.recognise(call.body.token, call.address)
    except Problem as problem:
        return Reply(TokenJudged(valid=False, reason=problem.detail))
    if not access.checked:
        raise AwayError("the token's key cannot be checked")
    if access.source != call.access.source:
        return Reply(TokenJudged(valid=False, reason="It is another client's."))
    judged = TokenJudged(
        valid=True,
        reason=None,
        client=access.source,
        scopes=sorted(access.scopes),
        hotels=None if access.hotels is None else sorted(access.hotels),
        user_id=access.user_id,
        expires_at=access.expires_at,
    )
    return Reply(judged, headers={"Cache-Control": "no-store"})


_EXPIRES = "2026-11-23T05:29:56Z"
_TOKEN = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjFmMjAifQ.eyJpc3MiOiJyb29td2lyZSJ9.c2lnbmF0dXJl"  # noqa: S105 - an example

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/auth/token",
        handler=make_token,
        name="makeToken",
        tag="Access",
        scope="any",
        summary="Exchange a key for a token of a quarter of an hour at most",
        description="A token can be given to a browser or a worker that must not hold the key. It never allows more"
        " than the key, and ends with it. One that is made with a token ends with that too.",
        body=TokenWanted,
        body_example={"scopes": ["read"], "hotels": [7], "user_id": "u_5512", "seconds": 600},
        returns={
            200: Returns(
                "The token.",
                TokenMade,
                {
                    "access_token": _TOKEN,
                    "token_type": "Bearer",
                    "expires_in": 600,
                    "expires_at": _EXPIRES,
                    "scopes": ["read"],
                    "hotels": [7],
                    "user_id": "u_5512",
                },
            )
        },
        problems=("unknown_hotel", "unknown_user", "insufficient_scope"),
    ),
    Route(
        method="POST",
        path="/auth/validate-token",
        handler=validate_token,
        name="validateToken",
        tag="Access",
        scope="any",
        summary="Say whether a token is valid, and what it allows",
        body=TokenShown,
        body_example={"token": _TOKEN},
        returns={
            200: Returns(
                "What it allows, or why it is not valid.",
                TokenJudged,
                {
                    "valid": True,
                    "reason": None,
                    "client": "sakura-web",
                    "scopes": ["read"],
                    "hotels": [7],
                    "user_id": "u_5512",
                    "expires_at": _EXPIRES,
                },
            )
        },
    ),
)
