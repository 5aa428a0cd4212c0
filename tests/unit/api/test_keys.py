"""Keys: refused without a look-up where they cannot be ours, and never shown."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access import keys
from api.access.issue import IssueError, Wanted


def test_a_key_names_its_id_and_matches_its_digest() -> None:
    made = keys.new_key()
    assert re.fullmatch(r"rw_[0-9A-Za-z]{50}", made.text)
    assert keys.key_id(made.text) == made.id == made.text[3:15]
    assert made.digest == hashlib.sha256(made.text.encode()).digest()
    assert keys.matches(made.text, made.digest)
    assert not keys.matches(keys.new_key().text, made.digest)


def test_keys_differ() -> None:
    assert len({keys.new_key().text for _ in range(200)}) == 200


@given(at=st.integers(3, 52), letter=st.sampled_from("0aZ9kQ"))
def test_a_key_with_one_wrong_character_is_none(at: int, letter: str) -> None:
    text = keys.new_key().text
    wrong = text[:at] + letter + text[at + 1 :]
    assert keys.key_id(wrong) is None or wrong == text


@given(st.text(max_size=80))
def test_other_texts_are_no_keys(text: str) -> None:
    assert keys.key_id(text) is None


@pytest.mark.parametrize("text", ["", "rw_", "rw_" + "０" * 50, "rw_" + "a" * 51, "RW_" + "a" * 50])
def test_what_only_looks_like_a_key_is_none(text: str) -> None:
    assert keys.key_id(text) is None


def test_a_key_does_not_show_itself() -> None:
    made = keys.new_key()
    assert made.text not in repr(made)
    assert repr(made.digest) not in repr(made)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"client": " "}, "name of the booking engine"),
        ({"client": "a\nb"}, "name of the booking engine"),
        ({"scopes": ["write"]}, "read, book, guest-data, admin"),
        ({"scopes": []}, "read, book, guest-data, admin"),
        ({"hotels": []}, "at least one hotel"),
        ({"addresses": ["10.0.0.1/8"]}, "CIDR"),
        ({"requests_per_minute": 0}, "one request"),
    ],
)
def test_a_key_cannot_be_anything(wishes: dict[str, object], words: str) -> None:
    given: dict[str, object] = {"client": "engine"} | wishes
    with pytest.raises(IssueError, match=words):
        Wanted(**given)  # type: ignore[arg-type]
