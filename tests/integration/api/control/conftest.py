"""The API for an operator, and a receiver on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from api.context import Options
from outbox import signing
from tests.integration.api.control.arrangement import ADMIN
from tests.integration.delivery.receiver import Receiver
from tests.support.api import Api, running_api
from tests.support.servers.databases import Database


@pytest.fixture
async def api(in_step: Database) -> AsyncIterator[Api]:
    """The API, where endpoints may be on this machine; `mine` administrates every hotel."""
    async with running_api(in_step, options=Options(allowed=(ip_network("127.0.0.0/8"),))) as api:
        api.mine = await api.key(client="office", scopes=ADMIN)
        yield api


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(signing.new_secret()) as receiver:
        yield receiver
