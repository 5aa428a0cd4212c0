"""Heartbeats: when due, from one worker, with how much is behind."""

import time
from typing import Any

from tests.integration.delivery.conftest import Bench


async def test_heartbeats_come_when_due_from_one_of_several_workers(bench: Bench) -> None:
    await bench.endpoint(heartbeat_seconds=1)
    await bench.documents.conn.execute(
        "insert into booking_engine.checkpoint (slot, system_id, timeline, end_lsn, committed_at)"
        " values ('roomwire', '1', 1, '0/0', '2026-11-23 05:14:56+00')"
    )
    started = time.monotonic()
    async with bench.delivering(), bench.delivering(), bench.delivering():
        await bench.receiver.until(lambda: len(bench.receiver.accepted) == 4)
    assert time.monotonic() - started >= 2.9
    beats = [received for received in bench.receiver.accepted if received.type == "heartbeat"]
    assert len(beats) == 4
    assert beats[0].data == {"as_of": "2026-11-23T05:14:56.000000Z", "hotel_id": None, "behind": 0}
    assert len({received.webhook_id for received in beats}) == 4, "none may pass for another's repetition"


async def test_a_heartbeat_tells_how_much_an_endpoint_is_behind(bench: Bench) -> None:
    async def picky(message: dict[str, Any]) -> int:
        return 204 if message["type"] == "heartbeat" else 422

    bench.receiver.answer = picky
    await bench.endpoint(heartbeat_seconds=1)
    await bench.documents.bookings(7, 5)
    async with bench.delivering():
        await bench.receiver.until(
            lambda: any(received.data["behind"] == 5 for received in bench.receiver.accepted)
        )


async def test_a_heartbeat_does_not_say_up_to_date_while_a_resync_of_its_hotels_runs(bench: Bench) -> None:
    await bench.endpoint(heartbeat_seconds=1, hotels=[7])
    async with bench.delivering():
        await bench.idle()
        await bench.documents.conn.execute(
            "insert into booking_engine.dirty_scope (kind, hotel_id, reason, done, total)"
            " values ('booking', 7, 'test', 60, 100), ('booking', 8, 'test', 0, 900),"
            " ('content', null, 'test', 0, 1)"
        )
        await bench.receiver.until(lambda: any(one.data["behind"] == 41 for one in bench.receiver.accepted))
        await bench.documents.conn.execute("delete from booking_engine.dirty_scope")
        await bench.receiver.until(lambda: bench.receiver.accepted[-1].data["behind"] == 0)
