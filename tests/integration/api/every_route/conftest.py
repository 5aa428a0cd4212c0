"""The API at whose doors everything is tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network

import pytest

from api.context import Options
from tests.support.api import Api, running_api, template_with_documents
from tests.support.servers import Server
from tests.support.servers.databases import Database, fresh_database


@pytest.fixture
def in_step(pg18: Server) -> Iterator[Database]:
    """One PostgreSQL: what holds at the door does not depend on it."""
    with fresh_database(pg18, template_with_documents(pg18)) as database:
        yield database


@pytest.fixture
async def api(in_step: Database) -> AsyncIterator[Api]:
    """The API, whose feed nobody waits for; endpoints may be on this machine."""
    async with running_api(in_step, options=Options(allowed=(ip_network("127.0.0.0/8"),))) as api:
        await api.context.heads.close()
        yield api
