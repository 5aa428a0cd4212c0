"""Replays of what is being sent meanwhile."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from outbox import replay
from outbox.delivery import replaying
from sql import delivery, workers
from sql.delivery import Result, Verdict
from sql.endpoints import START
from sql.replay import Scope
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.documents import booking_id


async def test_a_send_in_flight_cannot_acknowledge_what_a_replay_asks_for(bench: Bench) -> None:
    """Nor is anything sent beside it: of two sends of one key the older could come last."""
    held, other = booking_id(1), booking_id(2)
    await bench.documents.booking(7, held)
    await bench.documents.booking(7, other)
    await bench.endpoint(concurrency=2)
    gate, begun = asyncio.Event(), list[str]()

    async def hold(message: dict[str, Any]) -> int:
        begun.append(message["data"]["booking_id"])
        if begun[-1] == held:
            await gate.wait()
        return 204

    async with bench.delivering():
        await bench.idle()
        bench.receiver.answer = hold
        await bench.documents.booking(7, held, number_of_people=4)
        await bench.receiver.until(lambda: begun == [held])
        await replay.start(bench.documents.conn, "engine", Scope(), reason="a test")
        await bench.receiver.until(lambda: len(begun) == 2)
        assert begun == [held, other], "in the queue the one in flight stands before it"
        newest = await bench.documents.booking(7, held, number_of_people=5)
        gate.set()
        await bench.idle()
    assert begun == [held, other, held]
    last = [one.data for one in bench.receiver.accepted if one.data["booking_id"] == held][-1]
    assert (last["version"], last["number_of_people"]) == (newest, 5)


async def in_flight_and_marked(bench: Bench, worker: UUID, *, lease: float) -> tuple[int, Result]:
    """A booking that a worker sends while a replay asks for it; its place in the queue, and the send's result."""
    conn = bench.documents.conn
    await bench.endpoint()
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(7, booking_id(1))
    await workers.renew(conn, worker, name="test", lease=lease)
    token = uuid4()
    (claim,) = (await delivery.claim(conn, 1, worker=worker, token=token, size=1, lease=30)).claims
    await replay.start(conn, "engine", Scope(), reason="a test")
    assert await replaying.mark(bench.pool)
    (row,) = await bench.rows("select token, worker, again, place from booking_engine.behind")
    assert row[:3] == (token, worker, True)
    return row[3], Result(*claim[:3], token, claim.version or 0, "delivered", 60.0, "no")


@pytest.mark.parametrize("verdict", ["delivered", "released", "delayed", "rejected", "refused"])
async def test_whatever_comes_of_a_send_in_flight_what_was_marked_during_it_is_due(
    bench: Bench, verdict: Verdict
) -> None:
    conn, worker = bench.documents.conn, uuid4()
    place, result = await in_flight_and_marked(bench, worker, lease=60)
    assert (await delivery.claim(conn, 1, worker=worker, token=uuid4(), size=1, lease=30)).claims == []
    assert await delivery.settle(conn, 1, [result._replace(verdict=verdict)], [])
    assert await bench.rows(
        "select token, worker, again, acked, place, tries, outages, not_before, rejected_at"
        " from booking_engine.behind"
    ) == [(None, None, False, 0, place, 0, 0, None, None)]
    token = uuid4()
    (claim,) = (await delivery.claim(conn, 1, worker=worker, token=token, size=1, lease=30)).claims
    assert (claim.version, claim.acked) == (result.version, 0), "whole"
    assert not await delivery.settle(conn, 1, [result._replace(token=token, verdict="delivered")], [])
    assert await bench.count("behind") == 0


async def test_what_was_marked_during_the_send_of_a_worker_that_is_gone_is_sent_once(bench: Bench) -> None:
    conn, gone, other = bench.documents.conn, uuid4(), uuid4()
    _, result = await in_flight_and_marked(bench, gone, lease=60)
    await workers.leave(conn, gone)
    token = uuid4()
    (claim,) = (await delivery.claim(conn, 1, worker=other, token=token, size=1, lease=30)).claims
    assert (claim.version, claim.acked) == (result.version, 0)
    assert not await delivery.settle(conn, 1, [result], []), "it has no say any more"
    assert await bench.rows("select token, again from booking_engine.behind") == [(token, False)]
    assert not await delivery.settle(conn, 1, [result._replace(token=token)], [])
    assert await bench.count("behind") == 0


async def test_what_was_marked_during_a_send_that_is_given_back_is_no_longer_in_flight(bench: Bench) -> None:
    _, result = await in_flight_and_marked(bench, uuid4(), lease=60)
    await workers.forget(bench.documents.conn, 1, [result.token], START)
    assert await bench.rows("select token, worker, again, acked from booking_engine.behind") == [
        (None, None, False, 0)
    ]
