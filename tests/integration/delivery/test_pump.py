"""One endpoint's pump where a claim comes to nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from outbox.delivery.lease import Lease
from outbox.delivery.pump import Pump, Timing
from outbox.delivery.senders import open_senders
from sql import delivery
from sql.delivery import Claim
from sql.pool import Pool, make_pool
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id
from tests.support.servers.databases import Database


@asynccontextmanager
async def pumping(bench: Bench, pool: Pool) -> AsyncIterator[tuple[Pump, Lease]]:
    """A pump for the only endpoint, which has just been looked at; it does not run."""
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    asked = time.monotonic()
    (standing,) = await delivery.scan(bench.documents.conn, full=True)
    lease = Lease(bench.pool, 60)
    await lease._renew()
    lease._begin(asked)
    async with open_senders(bench.outbound) as sender_of:
        pump = Pump(pool, sender_of(standing.target), standing.target, lease, Timing())
        pump.poke(standing, asked)
        yield pump, lease
    await lease.leave()


async def test_what_was_claimed_is_given_back_if_composing_it_is_cut_short(bench: Bench, ours: Database) -> None:
    await bench.endpoint()
    snapshot = Claim("snapshot", 7, "0-f", 1, 0, 1, False, 0, None, None, None, None, None, None, None)
    token = uuid4()
    async with (
        make_pool(ours.dsn, application="busy", size=1, **delivery.SESSION) as pool,
        pumping(bench, pool) as (pump, lease),
    ):
        async with pool.connection():
            taking = asyncio.create_task(pump._take([snapshot], token, lease.term, live=True))

            async def waiting() -> bool:
                return bool(pool.get_stats().get("requests_waiting"))

            await eventually(waiting)
            taking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taking
        assert token in lease._lost


async def test_a_probe_that_nobody_asked_for_is_put_back(bench: Bench) -> None:
    """Another worker has paused the endpoint, and this one has not looked since."""
    await bench.endpoint()
    await bench.documents.booking(7, booking_id(1))
    async with pumping(bench, bench.pool) as (pump, _):
        await bench.documents.conn.execute(
            "update booking_engine.endpoint set status = 'paused', retry_at = now(), failed_at = now()"
        )
        await pump._claim(0)
        assert not pump._monitor.open, "it waits for the next look"
        assert not await pump._ledger.settle()
    assert bench.receiver.begun == 0
    assert await bench.rows("select status, retry_at <= now() from booking_engine.endpoint") == [("paused", True)]
    assert await bench.rows("select token from booking_engine.behind where kind = 'booking'") == [(None,)]
