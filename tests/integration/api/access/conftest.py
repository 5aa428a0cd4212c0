"""Keys that are looked up again with every request."""

import pytest

from api.access import keyring


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verified key is looked up again with the next request."""
    monkeypatch.setattr(keyring, "KEEP_SECONDS", 0.0)
