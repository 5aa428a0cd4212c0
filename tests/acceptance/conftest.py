"""Fixtures: Roomwire prepared on a small PMS, with a mirror that listens."""

from collections.abc import AsyncIterator

import pytest

from outbox.signing import new_secret
from tests.support.daemon import Roomwire
from tests.support.mirror.process import MirrorProcess
from tests.support.servers.databases import Database


@pytest.fixture
async def roomwire(pms: Database) -> Roomwire:
    """Roomwire after `roomwire setup`, not running."""
    ready = Roomwire(pms)
    await ready.command("setup")
    return ready


@pytest.fixture
async def mirror(roomwire: Roomwire) -> AsyncIterator[MirrorProcess]:
    """A booking engine's mirror, added as the endpoint `mirror`."""
    secret = new_secret()
    async with MirrorProcess(secret) as listening:
        await roomwire.add_endpoint("mirror", listening.url, secret)
        yield listening
