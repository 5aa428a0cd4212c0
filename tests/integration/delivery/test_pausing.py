"""An endpoint that its operator pauses and resumes, and one that is tried out."""

from typing import Any

import pytest

from outbox import endpoints
from outbox.delivery import trial
from sql import control
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id


async def test_one_that_is_paused_is_sent_nothing_until_it_is_resumed(bench: Bench) -> None:
    conn = bench.documents.conn
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        assert await control.pause(conn, "engine", "moving house")
        await bench.documents.booking(7, booking_id(1))
        await bench.documents.booking(7, booking_id(1), number_of_people=3)
        # Another one shows that deliveries go on meanwhile.
        await bench.endpoint("other", hotels=[7])
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        assert await status_of(bench, "engine") == "paused"
        assert await control.resume(conn, "engine")
        await bench.idle()
    assert bench.receiver.types() == ["booking.updated"] * 2
    assert [one.data["number_of_people"] for one in bench.receiver.accepted] == [3, 3], "the newest state, once"
    assert await status_of(bench, "engine") == "healthy"


async def status_of(bench: Bench, name: str) -> str:
    query = "select status from booking_engine.endpoint where name = %(name)s"
    return str(await bench.documents.value(query, {"name": name}))


async def test_an_answer_that_was_on_its_way_does_not_resume(bench: Bench) -> None:
    conn = bench.documents.conn
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()

        async def pause_first(_message: dict[str, Any]) -> int:
            await control.pause(conn, "engine", "moving house")
            return 204

        bench.receiver.answer = pause_first
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
    assert await status_of(bench, "engine") == "paused"


async def test_what_waits_for_its_next_try_is_sent_at_once_when_resumed(bench: Bench) -> None:
    conn = bench.documents.conn
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, booking_id(1))
        await bench.idle()
        await control.pause(conn, "engine", "moving house")
        await bench.documents.booking(7, booking_id(1), number_of_people=3)
        await conn.execute("update booking_engine.behind set outages = 9, not_before = now() + interval '1 day'")
        await control.resume(conn, "engine")
        await bench.idle()
    assert len(bench.receiver.accepted) == 2


async def test_what_is_disabled_or_unknown_is_neither_paused_nor_resumed(bench: Bench) -> None:
    conn = bench.documents.conn
    await bench.endpoint()
    await endpoints.disable(conn, "engine")
    for name in ("engine", "nobody"):
        assert not await control.pause(conn, name, "moving house")
        assert not await control.resume(conn, name)
    assert await status_of(bench, "engine") == "disabled"


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (204, "delivered", None),
        (422, "rejected", "HTTP 422"),
        (503, "outage", "HTTP 503"),
        (410, "gone", "HTTP 410"),
    ],
)
async def test_trying_out_tells_what_comes_of_it_and_changes_nothing(
    bench: Bench, answer: int, outcome: str, said: str | None
) -> None:
    conn = bench.documents.conn

    async def answering(_message: dict[str, Any]) -> int:
        return answer

    async with bench.delivering():  # which makes the partitions that attempts are noted in

        async def ready() -> bool:
            return await bench.documents.value("select to_regclass('booking_engine.worker') is not null") and bool(
                await bench.rows("select 1 from pg_inherits where inhparent = 'booking_engine.attempt'::regclass")
            )

        await eventually(ready)
    bench.receiver.answer = answering
    await bench.endpoint()
    before = await bench.rows("select * from booking_engine.endpoint")
    target = await trial.find(conn, "engine")
    assert target is not None
    sent = await trial.send(target, bench.outbound)
    await trial.note(conn, target, sent)
    assert (sent.attempt.outcome, sent.attempt.status, sent.attempt.error) == (outcome, answer, said)
    (received,) = bench.receiver.received
    assert (received.type, received.data) == ("endpoint.test", {"endpoint": "engine"})
    assert await bench.rows("select * from booking_engine.endpoint") == before
    assert await bench.rows("select webhook_id, outcome from booking_engine.attempt") == [
        (received.webhook_id, outcome)
    ]
    assert await trial.find(conn, "nobody") is None


async def test_two_tests_are_two_messages(bench: Bench) -> None:
    await bench.endpoint()
    target = await trial.find(bench.documents.conn, "engine")
    assert target is not None
    for _ in range(2):
        await trial.send(target, bench.outbound)
    assert len({received.webhook_id for received in bench.receiver.received}) == 2


async def test_nothing_is_tried_out_where_nothing_may_be_sent(bench: Bench) -> None:
    await bench.endpoint()
    target = await trial.find(bench.documents.conn, "engine")
    assert target is not None
    closed = type(bench.outbound)(bench.outbound.keys)
    sent = await trial.send(target, closed)
    assert (sent.attempt.outcome, sent.attempt.status) == ("forbidden", None)
    assert bench.receiver.received == []
