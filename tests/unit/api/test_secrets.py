"""Secrets: read with any key that is in use, derived apart, never shown."""

import pytest

from outbox.secrets import Secrets, SecretsError, new_secret_key


def test_what_was_encrypted_is_read_with_a_later_ring() -> None:
    old, new = new_secret_key(), new_secret_key()
    stored = Secrets([old]).encrypt("whsec_x")
    assert "whsec_x" not in stored
    assert Secrets([new, old]).decrypt(stored) == "whsec_x"
    with pytest.raises(SecretsError, match="put it back"):
        Secrets([new]).decrypt(stored)


def test_keys_are_derived_by_purpose_newest_first() -> None:
    old, new = new_secret_key(), new_secret_key()
    both = Secrets([new, old])
    assert both.derive("tokens") == [*Secrets([new]).derive("tokens"), *Secrets([old]).derive("tokens")]
    assert both.derive("tokens") != both.derive("quotes")
    assert all(len(key) == 32 for key in both.derive("tokens"))


@pytest.mark.parametrize("keys", [[], ["short"], ["é" * 44], [""]])
def test_bad_keys_are_refused_without_being_shown(keys: list[str]) -> None:
    with pytest.raises(SecretsError) as refused:
        Secrets(keys)
    assert "short" not in str(refused.value)


def test_a_ring_does_not_show_its_keys() -> None:
    key = new_secret_key()
    assert key not in repr(Secrets([key]))
