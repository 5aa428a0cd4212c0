"""A PMS with two hotels, documents in step with it, and the API on a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.api import Api, running_api, template_with_documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database


@pytest.fixture
def in_step(server: Server) -> Iterator[Database]:
    """A PMS of two hotels and 30 days, as `roomwire setup` leaves it, with documents in step."""
    with fresh_database(server, template_with_documents(server)) as database:
        yield database


@pytest.fixture
async def api(in_step: Database) -> AsyncIterator[Api]:
    """The API on it."""
    async with running_api(in_step) as api:
        yield api
