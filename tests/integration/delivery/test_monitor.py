"""What one worker knows of an endpoint, and what it believes of it."""

import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from outbox.delivery.breaker import PATIENCE
from outbox.delivery.monitor import Monitor
from outbox.delivery.outcome import Outcome
from sql import delivery, health
from sql.delivery import Standing
from sql.health import Health
from tests.integration.delivery.conftest import Bench

LATER = datetime(2026, 11, 23, 5, 15, tzinfo=UTC)
EARLIER = LATER - timedelta(seconds=1)


async def look(bench: Bench) -> Standing:
    """The only endpoint as it stands now; its first sync is marked."""
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    (standing,) = await delivery.scan(bench.documents.conn, full=True)
    return standing


async def test_what_was_asked_before_it_knew_better_is_not_believed(bench: Bench) -> None:
    await bench.endpoint()
    monitor = Monitor(bench.pool, (await look(bench)).target)
    paused = Health("paused", "ten failures", 10, LATER, LATER)
    monitor.learn(paused, open_=False, as_of=2.0)
    monitor.learn(replace(paused, status="degraded", failed_at=EARLIER), open_=True, as_of=1.0)
    monitor.learn(Health(), open_=True, as_of=1.0)
    assert (monitor.known, monitor.open) == (paused, False)
    newer = replace(paused, failed_at=LATER + timedelta(seconds=1))
    monitor.learn(newer, open_=False, as_of=1.0)
    assert monitor.known == newer, "somebody else was told of a failure meanwhile"
    monitor.learn(Health("degraded", failed_at=EARLIER), open_=True, as_of=1.5)
    assert monitor.known == newer


async def test_an_endpoint_whose_pause_a_crash_took_back_is_sent_to_again(bench: Bench) -> None:
    """Records are written without waiting for the disk: the last ones may be lost."""
    await bench.endpoint()
    asked, before = time.monotonic(), await look(bench)
    monitor = Monitor(bench.pool, before.target)
    monitor.learn(before.health, open_=before.open, as_of=asked)
    for _ in range(PATIENCE):
        monitor.note(Outcome("outage", 503), probing=False)
    await monitor.tell()
    assert (monitor.known.status, monitor.open, monitor.tripped) == ("paused", False, True)
    monitor.learn(before.health, open_=before.open, as_of=asked)
    assert monitor.tripped, "that look was before it was told"
    lost = replace(monitor.known, status="degraded", failures=1, retry_at=None, failed_at=EARLIER)
    await health.record(bench.documents.conn, before.target.id, lost, answered=False)
    asked, after = time.monotonic(), await look(bench)
    monitor.learn(after.health, open_=after.open, as_of=asked)
    assert (monitor.known, monitor.open, monitor.tripped) == (lost, True, False)


async def test_a_probe_that_was_not_sent_waits_for_the_next_look_which_finds_it_due(bench: Bench) -> None:
    await bench.endpoint()
    monitor = Monitor(bench.pool, (await look(bench)).target)
    monitor.learn(Health(), open_=True, as_of=-math.inf)
    await bench.documents.conn.execute(
        "update booking_engine.endpoint set status = 'paused', retry_at = now() + interval '1 hour'"
    )
    await monitor.again()
    assert not monitor.open
    assert (await look(bench)).open
