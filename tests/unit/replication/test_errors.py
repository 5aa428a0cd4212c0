"""What went wrong with replication is told as sentences."""

import pytest

from daemon.replication.errors import ConnectionLostError


@pytest.mark.parametrize("said", ["it is gone", "it is gone.", "it is gone?", "it is gone. "])
def test_what_happened_ends_before_the_remedy_begins(said: str) -> None:
    assert str(ConnectionLostError(said)) == "it is gone. Roomwire reconnects by itself."
