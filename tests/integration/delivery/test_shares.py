"""What an endpoint may get at a time is true for any number of workers, and while they come and go."""

import asyncio
import time
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from outbox.delivery.lease import Lease
from outbox.delivery.pump import Timing
from sql import workers as roster
from tests.integration.delivery.conftest import Bench, eventually

TIMING = Timing(lease=4.0, send=30.0, connect=1.0, poll=0.1, drain=5.0)


async def workers(bench: Bench) -> int:
    """How many there are of whom the others have heard, and who have heard of the others."""
    return await bench.count("worker where until > now() and kept_at > started_at")


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_three_workers_that_come_and_go_never_send_more_at_a_time(bench: Bench, concurrency: int) -> None:
    """Each who comes finds the lanes taken; today's floor would be a lane for each worker."""
    await bench.endpoint(concurrency=concurrency)
    first, expected = 0, 1

    async def they_have_come() -> bool:
        return await bench.count("worker") >= expected

    async def slowly(_message: dict[str, Any]) -> int:
        await eventually(they_have_come)
        await asyncio.sleep(0.05)
        return 204

    async def more() -> None:
        nonlocal first
        await bench.documents.bookings(7, 10, first=first)
        first += 10
        bench.wake.set()

    async with bench.delivering(TIMING):
        await bench.idle()
        bench.receiver.answer = slowly
        async with AsyncExitStack() as others:
            for expected in (2, 3):
                await more()
                await others.enter_async_context(bench.delivering(TIMING))

                async def met(number: int = expected) -> bool:
                    return await workers(bench) == number

                await eventually(met)
            await more()
            await bench.idle()
            expected = 1
        await more()
        await bench.idle()
    assert bench.receiver.most == concurrency
    assert len({one.data["booking_id"] for one in bench.receiver.accepted}) == first


async def test_the_lanes_of_who_is_heard_of_no_more_are_the_others_when_his_lease_ends(bench: Bench) -> None:
    """He may have been killed, and he may live: then he sends on until shortly before."""
    lease, other = Lease(bench.pool, 60), uuid4()
    found = []
    for left in (20, -1):
        await roster.renew(bench.documents.conn, other, name="other", lease=left)
        began = time.monotonic()
        await lease._renew()
        lease._begin(began)
        found.append(lease.lanes(1, 8))
    assert found == [0, 8]
    await lease.leave()


async def test_who_comes_waits_until_all_the_others_have_heard_of_him(bench: Bench) -> None:
    conn, other = bench.documents.conn, uuid4()
    await roster.renew(conn, other, name="other", lease=60)
    lease = Lease(bench.pool, 60)
    whole = 50

    async def lanes() -> int:
        began = time.monotonic()
        await lease._renew()
        lease._begin(began)
        return lease.lanes(1, whole)

    assert await lanes() == 0
    await roster.renew(conn, other, name="other", lease=60)
    assert await lanes() == 0, "it lives, and what it had on its way may still be"
    heard = await roster.renew(conn, other, name="other", lease=60)
    assert set(heard.others) == {lease.worker}
    await roster.renew(conn, other, name="other", lease=60, kept=heard.now)
    shared = await lanes()
    assert 0 < shared < whole
    await roster.renew(conn, uuid4(), name="third", lease=60)
    assert 0 < await lanes() < shared, "one who has come takes some at once"
    await conn.execute(f"delete from booking_engine.worker where id <> '{lease.worker}'")
    assert await lanes() == whole
    await lease.leave()
    assert lease.lanes(1, whole) == 0


async def test_who_could_not_renew_in_time_begins_nothing_and_comes_as_if_new(bench: Bench) -> None:
    conn, other = bench.documents.conn, uuid4()
    lease = Lease(bench.pool, 60)
    await lease._renew()
    lease._begin(time.monotonic())
    assert lease.lanes(1, 8) == 8
    lease._begin(time.monotonic() - 40)
    assert lease.lanes(1, 8) == 8, "nobody has taken them"
    lease._begin(time.monotonic() - 55)
    assert lease.lanes(1, 8) == 0
    await roster.renew(conn, other, name="other", lease=60)
    began = time.monotonic()
    await lease._renew()
    lease._begin(began)
    assert lease.lanes(1, 8) == 0, "the other may have its lanes"
    await lease.leave()


async def test_no_more_messages_a_second_by_three_workers_than_by_one(bench: Bench) -> None:
    await bench.endpoint(rate_per_second=20.0, concurrency=5)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(bench.delivering(TIMING))

        async def met() -> bool:
            return await workers(bench) == 3

        await eventually(met)
        await bench.documents.bookings(7, 40)
        await bench.idle()
    times = [one.at for one in bench.receiver.accepted]
    # Each worker may begin with one at once.
    assert times[-1] - times[0] > (40 - 3) / 20 * 0.9
    assert all(later >= earlier for earlier, later in pairwise(times))
