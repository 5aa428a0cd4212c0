"""What nobody wants sent any more while it is being sent, or is about to be."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from outbox import changing, endpoints
from outbox.delivery.pump import Timing
from outbox.keys import parse
from sql import control, delivery, ledger, workers
from sql.delivery import Claim, Result, Verdict
from sql.endpoints import START
from sql.ledger import Author, Choice
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.integration.delivery.world import small_world
from tests.unit.outbox.samples import DAY

KEY = booking_id(1)
AUTHOR = Author("operator", "request-1")
VERDICTS: tuple[Verdict, ...] = ("delivered", "released", "delayed", "rejected", "refused")


async def ready(bench: Bench, **wishes: Any) -> None:
    """An endpoint whose first sync is done, and a booking that it is behind on."""
    await bench.endpoint(**wishes)
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(7, KEY)


async def claimed(bench: Bench, *, size: int = 10, worker: UUID | None = None) -> tuple[UUID, list[Claim]]:
    """What a worker gets that lives: the lanes are its own until it leaves."""
    worker, token = worker or uuid4(), uuid4()
    await workers.renew(bench.documents.conn, worker, name="test", lease=60)
    found = await delivery.claim(bench.documents.conn, 1, worker=worker, token=token, size=size, lease=30)
    return token, found.claims


async def skip(bench: Bench) -> None:
    assert await ledger.skip(bench.documents.conn, Choice(keys=[parse(f"booking:7:{KEY}")]), AUTHOR, None) == 1


async def narrow(bench: Bench) -> None:
    found = await changing.change(bench.documents.conn, "engine", {"types": ["plan"]}, bench.outbound)
    assert found.withdrawn == 1


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("waive", [skip, narrow])
async def test_what_is_waived_during_a_send_goes_with_it_whatever_comes_of_it(
    bench: Bench, waive: Any, verdict: Verdict
) -> None:
    await ready(bench)
    token, (claim,) = await claimed(bench)
    await waive(bench)
    assert await bench.rows("select token from booking_engine.behind") == [(token,)], "it is on its way"
    result = Result(*claim[:3], token, claim.version or 0, verdict, 60.0, "no")
    assert not await delivery.settle(bench.documents.conn, 1, [result], [])
    assert await bench.count("behind") == 0


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_what_changes_after_it_was_skipped_waits_for_the_send_and_is_sent_once(
    bench: Bench, verdict: Verdict
) -> None:
    await ready(bench)
    token, (claim,) = await claimed(bench)
    await skip(bench)
    newer = await bench.documents.booking(7, KEY, number_of_people=5)
    assert (await claimed(bench))[1] == [], "its send has not ended"
    result = Result(*claim[:3], token, claim.version or 0, verdict, 60.0, "no")
    await delivery.settle(bench.documents.conn, 1, [result], [])
    _, (again,) = await claimed(bench)
    assert (again.version, again.acked) == (newer, claim.version), "what was skipped counts as delivered"


async def test_what_was_skipped_during_the_send_of_a_worker_that_is_gone_is_not_sent_again(bench: Bench) -> None:
    await ready(bench)
    await claimed(bench)
    await skip(bench)
    await bench.documents.conn.execute("delete from booking_engine.worker")
    _, (orphan,) = await claimed(bench)
    assert not orphan.told
    await bench.documents.conn.execute("delete from booking_engine.worker")
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.begun == 0


async def test_what_is_skipped_while_it_is_sent_is_never_sent_twice_at_a_time(bench: Bench) -> None:
    """With the worker and its receiver, which is slow."""
    gate, most, under_way = asyncio.Event(), 0, 0

    async def slowly(_message: dict[str, Any]) -> int:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await gate.wait()
        under_way -= 1
        return 204

    bench.receiver.answer = slowly
    await ready(bench)
    async with bench.delivering(Timing(send=60, poll=0.1)):
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        await skip(bench)
        await bench.documents.booking(7, KEY, number_of_people=5)
        await bench.documents.booking(7, booking_id(2))
        bench.wake.set()
        await bench.receiver.until(lambda: bench.receiver.begun == 2)
        gate.set()
        await bench.idle()
    told = [one.data["booking_id"] for one in bench.receiver.accepted]
    assert sorted(told) == sorted([KEY, KEY, booking_id(2)])
    assert most == 2, "the other one beside it"


async def test_a_widening_during_a_send_that_a_narrowing_had_waived_is_sent_after_it(bench: Bench) -> None:
    await bench.documents.hotel(7)
    await ready(bench, types=["booking"])
    worker = uuid4()
    token, (claim,) = await claimed(bench, worker=worker)
    await narrow(bench)
    found = await changing.change(bench.documents.conn, "engine", {"types": ["booking"]}, bench.outbound)
    assert len(found.widened) == 1
    async with bench.delivering():
        await eventually(lambda: is_zero(bench, "replay where finished_at is null"))
        result = Result(*claim[:3], token, claim.version or 0, "delivered")
        assert await delivery.settle(bench.documents.conn, 1, [result], [])
        await workers.leave(bench.documents.conn, worker)
        await bench.idle()
    assert bench.receiver.types() == ["booking.created", "hotel.snapshot"]


async def is_zero(bench: Bench, what: str) -> bool:
    return await bench.count(what) == 0


async def test_what_it_is_told_of_no_more_is_not_sent_though_it_is_still_in_the_queue(bench: Bench) -> None:
    """Between the narrowing and the end of its tidying up; the worker knows the endpoint anew by then."""
    await small_world(bench.documents, 7, 8)
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    begun = bench.receiver.begun
    for hotel in (7, 8):
        await bench.documents.booking(hotel, booking_id(100 * hotel + 1), number_of_people=9)
        await bench.documents.availability(hotel, 10 * hotel + 1, nights(DAY, [5]))
    conn = bench.documents.conn
    await conn.execute(
        "insert into booking_engine.behind (endpoint_id, kind, hotel_id, id, version, acked, place)"
        " select 1, 'snapshot', hotel, '0-f', 1, 0, 1 from unnest('{7, 8}'::int[]) hotel"
    )
    await conn.execute("update booking_engine.endpoint set hotels = '{7}', types = '{booking}'")
    async with bench.delivering():
        await bench.idle()
    came = [(one.type, one.data["hotel_id"]) for one in bench.receiver.accepted[begun:]]
    assert sorted(came) == [("booking.updated", 7), ("hotel.snapshot", 7)]


async def test_a_worker_that_knows_an_endpoint_as_it_was_gets_nothing(bench: Bench) -> None:
    await ready(bench)
    conn = bench.documents.conn
    (before,) = await delivery.scan(conn, full=True)
    await changing.change(conn, "engine", {"guest_data": False}, bench.outbound)

    async def claims(revision: int) -> list[Claim]:
        given = await delivery.claim(conn, 1, worker=uuid4(), token=uuid4(), size=1, lease=30, revision=revision)
        return given.claims

    assert await claims(before.target.revision) == []
    (now,) = await delivery.scan(conn, full=True)
    assert now.target != before.target, "and so the worker begins anew"
    assert len(await claims(now.target.revision)) == 1


async def test_what_waits_for_its_turn_when_an_endpoint_is_changed_is_sent_as_it_is_then(bench: Bench) -> None:
    """At one message in ten seconds: the second is claimed, and waits."""
    await bench.endpoint(rate_per_second=0.1, guest_data=True, concurrency=1)
    async with bench.delivering(Timing(poll=0.1)):
        await bench.idle()
        await bench.documents.bookings(7, 2)
        bench.wake.set()
        await bench.receiver.until(lambda: bench.receiver.begun == 1)
        await eventually(lambda: is_one(bench, "behind where token is not null"))
        wishes = {"guest_data": False, "rate_per_second": 0}
        await changing.change(bench.documents.conn, "engine", wishes, bench.outbound)
        await bench.idle()
    assert [one.data["guest"] is None for one in bench.receiver.accepted] == [False, True]


async def is_one(bench: Bench, what: str) -> bool:
    return await bench.count(what) == 1


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_a_send_that_ends_after_its_endpoint_was_disabled_is_settled(bench: Bench, verdict: Verdict) -> None:
    await ready(bench)
    conn, worker = bench.documents.conn, uuid4()
    token, (claim,) = await claimed(bench, worker=worker)
    await endpoints.disable(conn, "engine")
    assert (await claimed(bench, worker=worker))[1] == []
    await bench.documents.booking(7, KEY, number_of_people=5)
    await delivery.settle(conn, 1, [Result(*claim[:3], token, claim.version or 0, verdict, 60.0, "no")], [])
    assert await bench.count("behind where token is not null") == 0
    await workers.leave(conn, worker)
    await endpoints.enable(conn, "engine")
    async with bench.delivering():
        await bench.idle()
    assert [one.data["number_of_people"] for one in bench.receiver.accepted if one.data.get("booking_id")] == [5]


async def own_booking(bench: Bench, *, delivered: bool) -> None:
    """An endpoint that is told of our own bookings only, and one that is our own no longer."""
    await bench.endpoint(bookings="own")
    async with bench.delivering():
        await bench.idle()
        if delivered:
            await bench.documents.booking(7, KEY, own=True)
            await bench.idle()
    if not delivered:
        await bench.documents.booking(7, KEY, own=True)
    await bench.documents.booking(7, KEY, own=False)


@pytest.mark.parametrize(
    ("delivered", "came"), [(True, ["booking.created", "booking.deleted"]), (False, list[str]())]
)
async def test_a_change_of_the_endpoint_keeps_back_no_word_that_a_booking_is_our_own_no_longer(
    bench: Bench, *, delivered: bool, came: list[str]
) -> None:
    await own_booking(bench, delivered=delivered)
    found = await changing.change(bench.documents.conn, "engine", {"max_bytes": 30_000}, bench.outbound)
    assert found.withdrawn == (0 if delivered else 1)
    async with bench.delivering():
        await bench.idle()
    assert bench.receiver.types() == came


async def test_who_is_told_of_our_own_bookings_only_from_now_on_gets_the_list_of_them(bench: Bench) -> None:
    """One that was not our own is behind at that moment, and another is not."""
    await bench.documents.hotel(7)
    await bench.endpoint(types=["booking"])
    for number, own in ((1, True), (2, False), (3, False)):
        await bench.documents.booking(7, booking_id(number), own=own)
    async with bench.delivering():
        await bench.idle()
    begun = bench.receiver.begun
    await bench.documents.booking(7, booking_id(2), number_of_people=5)
    found = await changing.change(bench.documents.conn, "engine", {"bookings": "own"}, bench.outbound)
    assert (found.widened, found.withdrawn) == ([], 0)
    async with bench.delivering():
        await eventually(lambda: is_zero(bench, "replay where finished_at is null"))
        await bench.idle()
    gone, closing = bench.receiver.accepted[begun:]
    assert (gone.type, gone.data["booking_id"]) == ("booking.deleted", booking_id(2))
    assert (closing.type, closing.data["bookings"]["ids"]) == ("hotel.snapshot", [booking_id(1)])


HELD = "select mode from pg_locks where relation = 'booking_engine.endpoint'::regclass and pid = pg_backend_pid()"


async def test_withdrawing_looks_at_each_mark_once_and_keeps_no_writer_waiting(bench: Bench) -> None:
    await ready(bench)
    conn = bench.documents.conn
    await bench.documents.bookings(7, 25, first=10)
    await conn.execute("update booking_engine.endpoint set hotels = '{8}'")
    after, pages, withdrawn = START, 0, 0
    while True:
        async with conn.transaction():
            last, found = await control.withdraw(conn, 1, after, 10)
            held = await bench.rows(HELD)
        withdrawn += found
        assert "ExclusiveLock" not in {mode for (mode,) in held}
        if last is None:
            break
        after, pages = last, pages + 1
    assert (pages, withdrawn, await bench.count("behind")) == (3, 26, 0)
