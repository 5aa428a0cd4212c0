"""Acknowledgements against writers of documents and against other workers, on real connections."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from sql import delivery, endpoints, workers
from sql.delivery import Claim, Result, Verdict
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import Documents, booking_id, nights
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import DAY

KEY = ("booking", 7, booking_id(1))


@pytest.fixture
async def worker(ours: Database) -> AsyncIterator[AsyncConnection]:
    async with await connect(ours.dsn, application="worker", lock_timeout="10s") as conn:
        yield conn


@pytest.fixture
async def endpoint(bench: Bench) -> int:
    """An endpoint that is behind on one booking in its first version."""
    number = await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.booking(7, booking_id(1))
    return number


async def claim(conn: AsyncConnection, endpoint: int, *, dead: bool = False) -> tuple[UUID, list[Claim]]:
    """Claim as a worker that lives, or as one that is dead."""
    worker, token = uuid4(), uuid4()
    if not dead:
        await workers.renew(conn, worker, name="test", lease=30)
    return token, (await delivery.claim(conn, endpoint, worker=worker, token=token, size=10, lease=30)).claims


async def settle(
    conn: AsyncConnection, endpoint: int, claimed: Claim, token: UUID, verdict: Verdict = "delivered"
) -> None:
    assert claimed.version is not None
    await delivery.settle(conn, endpoint, [Result(*claimed[:3], token, claimed.version, verdict)], [])


async def test_what_became_newer_during_a_send_is_told_to_the_sender(
    bench: Bench, worker: AsyncConnection, endpoint: int
) -> None:
    token, (claimed,) = await claim(worker, endpoint)
    newer = await bench.documents.booking(7, booking_id(1), status="checked_in")
    assert claimed.version is not None
    assert await delivery.settle(worker, endpoint, [Result(*claimed[:3], token, claimed.version, "delivered")], [])
    token, again = await claim(worker, endpoint)
    assert [key.version for key in again] == [newer]
    assert again[0].place > claimed.place, "it stands among what changed just now"
    done = Result(*again[0][:3], token, newer, "delivered")
    assert not await delivery.settle(worker, endpoint, [done], [])


async def test_what_changes_all_the_time_and_is_delivered_all_the_time_is_not_behind_for_long(
    bench: Bench, worker: AsyncConnection, endpoint: int
) -> None:
    """It would be an alarm that nobody can end."""
    await bench.documents.conn.execute("update booking_engine.behind set since = now() - interval '1 day'")
    (row,) = await endpoints.overview(worker)
    assert row.oldest is not None
    assert datetime.now(UTC) - row.oldest > timedelta(hours=23)
    token, (claimed,) = await claim(worker, endpoint)
    await bench.documents.booking(7, booking_id(1), status="checked_in")
    await settle(worker, endpoint, claimed, token)
    (row,) = await endpoints.overview(worker)
    assert (row.behind, row.oldest is not None) == (1, True)
    assert row.oldest is not None
    assert datetime.now(UTC) - row.oldest < timedelta(hours=1)


async def blocked(bench: Bench, conn: AsyncConnection) -> None:
    """Wait until this connection waits for a lock."""
    waiting = f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {conn.info.backend_pid}"

    async def check() -> bool:
        return bool(await bench.documents.value(waiting))

    await eventually(check)


async def state(bench: Bench) -> list[tuple[object, ...]]:
    return await bench.rows("select version, acked, token, tries from booking_engine.behind")


async def test_what_was_sent_and_did_not_change_is_no_longer_behind(
    bench: Bench, worker: AsyncConnection, endpoint: int
) -> None:
    token, (claimed,) = await claim(worker, endpoint)
    await settle(worker, endpoint, claimed, token)
    assert await state(bench) == []


async def test_a_version_that_is_being_written_during_the_acknowledgement_stays_behind(
    bench: Bench, worker: AsyncConnection, endpoint: int, ours: Database
) -> None:
    token, (claimed,) = await claim(worker, endpoint)
    async with await connect(ours.dsn, application="projector") as other:
        projector = Documents(other)
        async with other.transaction():
            newer = await projector.booking(7, booking_id(1), status="checked_in")
            acknowledging = asyncio.create_task(settle(worker, endpoint, claimed, token))
            await blocked(bench, worker)
        await acknowledging
    assert await state(bench) == [(newer, claimed.version, None, 0)]


async def test_a_version_that_waits_for_the_acknowledgement_is_marked_anew(
    bench: Bench, worker: AsyncConnection, endpoint: int, ours: Database
) -> None:
    token, (claimed,) = await claim(worker, endpoint)
    async with await connect(ours.dsn, application="projector", lock_timeout="10s") as other:
        async with worker.transaction():
            await settle(worker, endpoint, claimed, token)
            writing = asyncio.create_task(Documents(other).booking(7, booking_id(1), status="checked_in"))
            await blocked(bench, other)
        newer = await writing
    assert await state(bench) == [(newer, claimed.version, None, 0)]


async def test_a_change_between_send_and_acknowledgement_is_sent_next(
    bench: Bench, worker: AsyncConnection, endpoint: int
) -> None:
    token, (claimed,) = await claim(worker, endpoint)
    newer = await bench.documents.booking(7, booking_id(1), status="checked_in")
    assert (await claim(worker, endpoint))[1] == [], "one send in flight per key"
    await settle(worker, endpoint, claimed, token)
    token, (again,) = await claim(worker, endpoint)
    assert (again.version, again.acked) == (newer, claimed.version)


@pytest.mark.parametrize("first", ["booking", "availability"])
async def test_an_acknowledgement_that_waits_for_a_writer_is_in_his_way_nowhere(
    bench: Bench, worker: AsyncConnection, endpoint: int, ours: Database, first: str
) -> None:
    """He marks in an order of his own, and gives up after 400 ms."""
    await bench.documents.availability(7, 31, nights(DAY, [1]))
    token, claims = await claim(worker, endpoint)
    assert [one.kind for one in claims] == ["booking", "availability"]
    results = [Result(*one[:3], token, one.version or 0, "delivered") for one in claims]
    ((backend,),) = await (await worker.execute("select pg_backend_pid()")).fetchall()
    waiting = f"pg_stat_activity where pid = {backend} and wait_event_type = 'Lock'"

    async def waits() -> bool:
        return bool(await bench.documents.value(f"select count(*) from {waiting}"))

    async with await connect(ours.dsn, application="projector") as conn:
        documents = Documents(conn)
        steps = [
            lambda: documents.booking(7, booking_id(1), status="checked_in"),
            lambda: documents.availability(7, 31, nights(DAY, [2])),
        ]
        async with asyncio.TaskGroup() as tasks, conn.transaction():
            await steps.pop(("booking", "availability").index(first))()
            settling = tasks.create_task(delivery.settle(worker, endpoint, results, []))
            await eventually(waits)
            await steps.pop()()
    assert settling.result().fresh
    rows = await bench.rows("select acked, token from booking_engine.behind order by kind desc")
    assert rows == [(one.version, None) for one in claims]


async def test_a_mark_that_is_being_written_is_taken_by_the_next_claim(
    bench: Bench, worker: AsyncConnection, endpoint: int, ours: Database
) -> None:
    """A claim waits for nobody."""
    async with await connect(ours.dsn, application="projector") as other, other.transaction():
        newer = await Documents(other).booking(7, booking_id(1), status="checked_in")
        assert (await claim(worker, endpoint))[1] == []
    _, (claimed,) = await claim(worker, endpoint)
    assert claimed.version == claimed.marked == newer


async def test_a_worker_whose_lease_has_ended_changes_nothing(
    bench: Bench, worker: AsyncConnection, endpoint: int
) -> None:
    late, (claimed,) = await claim(worker, endpoint, dead=True)
    token, (again,) = await claim(worker, endpoint)
    assert again.sent, "the first worker may have sent it"
    for verdict in ("delivered", "rejected", "released", "refused"):
        await settle(worker, endpoint, claimed, late, verdict)
    assert await state(bench) == [(claimed.version, 0, token, 0)]


async def test_two_workers_never_claim_the_same_key(bench: Bench, ours: Database, endpoint: int) -> None:
    await bench.documents.bookings(7, 300)
    async with (
        await connect(ours.dsn, application="one") as one,
        await connect(ours.dsn, application="two") as two,
    ):

        async def drain(conn: AsyncConnection) -> list[str]:
            taken: list[str] = []
            while claims := (await claim(conn, endpoint))[1]:
                taken += [claimed.id for claimed in claims]
            return taken

        first, second = await asyncio.gather(drain(one), drain(two))
    assert len(first) + len(second) == len({*first, *second}) == 301


async def test_of_two_workers_that_try_again_at_once_one_may(
    bench: Bench, worker: AsyncConnection, endpoint: int, ours: Database
) -> None:
    await bench.documents.bookings(7, 5)
    await worker.execute("update booking_engine.endpoint set status = 'paused', failures = 10, retry_at = now()")
    async with await connect(ours.dsn, application="other", lock_timeout="10s") as other:
        async with worker.transaction():
            first = await delivery.claim(worker, endpoint, token=uuid4(), size=1, lease=30, worker=uuid4())
            trying = asyncio.create_task(
                delivery.claim(other, endpoint, token=uuid4(), size=1, lease=30, worker=uuid4())
            )
            await blocked(bench, other)
        second = await trying
    assert (first.paused, first.probing) == (True, True)
    assert (second.paused, second.probing) == (True, False)
    assert (await delivery.claim(worker, endpoint, token=uuid4(), size=1, lease=30, worker=uuid4())).claims == []


async def test_a_deletion_of_what_was_never_sent_is_not_sent_and_one_of_what_may_have_been_is(
    bench: Bench,
) -> None:
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
        conn = bench.documents.conn
        async with conn.transaction():
            await bench.documents.booking(7, booking_id(1))
            await bench.documents.delete("booking", 7, booking_id(1))
        await bench.idle()
        assert bench.receiver.begun == 0

        async def unheard(_message: object) -> int:
            bench.receiver.answer = accept
            return 500

        async def accept(_message: object) -> int:
            return 204

        bench.receiver.answer = unheard
        await bench.documents.booking(7, booking_id(2))
        await bench.receiver.until(lambda: len(bench.receiver.received) == 1)
        await bench.documents.delete("booking", 7, booking_id(2))
        await bench.idle()
    assert bench.receiver.types() == ["booking.deleted"]


async def test_the_keys_of_a_killed_worker_are_sent_by_another(bench: Bench) -> None:
    """A worker that dies says nothing: its lease just ends, and until then he may be sending."""
    await bench.endpoint()
    async with bench.delivering():
        await bench.idle()
    await bench.documents.bookings(7, 20)
    killed = uuid4()
    await workers.renew(bench.documents.conn, killed, name="killed", lease=1.5)
    dead = await delivery.claim(bench.documents.conn, 1, worker=killed, token=uuid4(), size=10, lease=10)
    assert len(dead.claims) == 10
    async with bench.delivering():
        await bench.idle()
    assert len({received.data["booking_id"] for received in bench.receiver.accepted}) == 20
    until = await bench.documents.value("select until from booking_engine.worker")
    assert await bench.documents.value("select min(at) from booking_engine.attempt") > until
