"""A PMS without rates, in a transaction that is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from deploy.pms import install
from sql.pool import connect
from tests.integration.prices.catalogue import TODAY, Catalogue
from tests.support.servers import KINDS
from tests.support.servers.databases import Database, fresh_database, template


@pytest.fixture(scope="module", params=KINDS)
def furnished(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Two hotels without stays, for all tests of a module, on each PostgreSQL in turn."""
    server = request.getfixturevalue(request.param)
    filled = template(server, "priced", partial(install, seed=1, hotels=2, days=1, today=TODAY))
    with fresh_database(server, filled) as database:
        yield database


@pytest.fixture
async def catalogue(furnished: Database) -> AsyncIterator[Catalogue]:
    """Their plans, with no rates yet; sessions are as Roomwire's are."""
    async with await connect(furnished.dsn, application="prices") as conn, conn.transaction(force_rollback=True):
        await conn.execute("select set_config('my_app.user_id', '1', true)")
        await conn.execute("delete from plans_rates")
        yield Catalogue(conn)
