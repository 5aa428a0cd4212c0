"""Tokens: only ours, only for a while, and never more than their key."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.scopes import SCOPES, Access
from api.access.tokens import LONGEST_SECONDS, TokenError, Tokens, narrow_to, narrowed
from outbox.secrets import Secrets, new_secret_key

OLD, NEW = new_secret_key(), new_secret_key()
ACCESS = Access("k" * 12, "engine", frozenset({"read", "book"}), frozenset({1, 2}), user_id="u1")


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(Secrets([NEW]))


def signed(claims: dict[str, Any], *, key: bytes | None = None, algorithm: str = "HS256", kid: bool = True) -> str:
    tokens = Tokens(Secrets([NEW]))
    ((our_kid, our_key),) = tokens._keys.items()
    return jwt.encode(claims, key or our_key, algorithm, headers={"kid": our_kid} if kid else {})


def good() -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "iss": "roomwire",
        "aud": "roomwire-api",
        "sub": "engine",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "jti": "1",
        "key": "k" * 12,
        "scopes": ["read"],
        "hotels": "all",
    }


def test_a_token_says_what_its_access_is(tokens: Tokens) -> None:
    text, expires_at = tokens.make(ACCESS, 60)
    claims = tokens.read(text)
    assert narrowed(ACCESS, claims) == Access(
        "k" * 12, "engine", frozenset({"read", "book"}), frozenset({1, 2}), "u1", expires_at
    )
    assert timedelta(seconds=58) < expires_at - datetime.now(UTC) <= timedelta(seconds=60)


def test_a_token_for_every_hotel_is_for_every_hotel(tokens: Tokens) -> None:
    chain = Access("k" * 12, "engine", frozenset({"read"}))
    text, expires_at = tokens.make(chain, 60)
    assert narrowed(chain, tokens.read(text)) == Access(
        "k" * 12, "engine", frozenset({"read"}), None, None, expires_at
    )


def test_no_token_lives_longer_than_a_quarter_of_an_hour(tokens: Tokens) -> None:
    _, expires_at = tokens.make(ACCESS, 86_400)
    assert expires_at <= datetime.now(UTC) + timedelta(seconds=LONGEST_SECONDS)


def test_tokens_of_an_old_secret_key_are_read_as_long_as_it_is_in_use() -> None:
    text, _ = Tokens(Secrets([OLD])).make(ACCESS, 60)
    assert Tokens(Secrets([NEW, OLD])).read(text)["sub"] == "engine"
    with pytest.raises(TokenError, match="still in use"):
        Tokens(Secrets([NEW])).read(text)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "iat", "exp", "jti", "key", "scopes", "hotels"])
def test_every_claim_is_asked_for(tokens: Tokens, missing: str) -> None:
    assert tokens.read(signed(good()))["jti"] == "1"
    with pytest.raises(TokenError):
        tokens.read(signed({name: value for name, value in good().items() if name != missing}))


@pytest.mark.parametrize("wrong", [{"iss": "other"}, {"aud": "other"}, {"iat": "soon"}])
def test_tokens_for_others_are_refused(tokens: Tokens, wrong: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        tokens.read(signed(good() | wrong))


def test_an_expired_token_is_refused(tokens: Tokens) -> None:
    then = datetime.now(UTC) - timedelta(seconds=30)
    with pytest.raises(TokenError, match="expired"):
        tokens.read(signed(good() | {"exp": then}))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_are_refused_with_the_right_key_too(tokens: Tokens, algorithm: str) -> None:
    with pytest.raises(TokenError):
        tokens.read(signed(good(), algorithm=algorithm))


def test_an_unsigned_token_is_refused(tokens: Tokens) -> None:
    (kid,) = tokens._keys
    with pytest.raises(TokenError):
        tokens.read(jwt.encode(good(), "", "none", headers={"kid": kid}))


def test_a_token_without_a_key_id_or_with_another_key_is_refused(tokens: Tokens) -> None:
    for text in (signed(good(), kid=False), signed(good(), key=b"x" * 32), "a.b.c", "..", ""):
        with pytest.raises(TokenError) as refused:
            tokens.read(text)
        assert not text or text not in str(refused.value)


SCOPE_SETS = st.frozensets(st.sampled_from(SCOPES))
HOTELS = st.none() | st.frozensets(st.integers(1, 4))


@given(SCOPE_SETS, HOTELS, SCOPE_SETS, HOTELS)
def test_a_narrowed_access_is_within_both(
    scopes: frozenset[Any], hotels: frozenset[int] | None, asked: frozenset[Any], wanted: frozenset[int] | None
) -> None:
    whole = Access("k", "engine", scopes, hotels)
    narrow = narrow_to(whole, scopes=asked, hotels=wanted, user_id=None)
    assert narrow.scopes == scopes & asked
    for hotel in range(1, 5):
        assert narrow.knows(hotel) == (whole.knows(hotel) and (wanted is None or hotel in wanted))
