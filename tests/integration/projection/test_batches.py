"""How a batch begins: who may, what is hidden from it, and how often it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.abc import PQGen
from psycopg.generators import send
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from daemon.persistence import transacting
from outbox.dirty import Dirty
from outbox.projector import project
from sql import checkpoint, pipelines
from sql.checkpoint import DeposedError
from sql.pool import connect
from tests.integration.projection.house import House
from tests.support.daemon import until


async def taken(
    conn: psycopg.AsyncConnection, slot: str, *, epoch: int, end_lsn: int | None = None, xids: Collection[int] = ()
) -> set[int]:
    batch = await checkpoint.take(
        conn, slot, epoch, xids=xids, end_lsn=end_lsn, committed_at=datetime(2026, 5, 4, tzinfo=UTC)
    )
    return await batch.hidden()


@pytest.mark.parametrize(
    "write",
    [
        lambda conn, slot: checkpoint.advance(conn, slot, 1, 2**50, None),
        lambda conn, slot: checkpoint.hold(conn, slot, 1),
        lambda conn, slot: checkpoint.lead(conn, f"{slot}_of_nobody"),
        lambda conn, slot: checkpoint.advance(conn, slot, 2, 5, None),
        lambda conn, slot: taken(conn, slot, epoch=1, end_lsn=2**50),
        lambda conn, slot: taken(conn, slot, epoch=1),
        lambda conn, slot: taken(conn, slot, epoch=2, end_lsn=5),
    ],
    ids=["advance", "hold", "no checkpoint", "backwards", "batch", "batch behind others", "batch backwards"],
)
async def test_the_checkpoint_refuses_who_does_not_lead(
    house: House, write: Callable[[psycopg.AsyncConnection, str], Awaitable[object]]
) -> None:
    today = house.frame.today
    await checkpoint.start(house.conn, house.slot, system_id="1", timeline=1, end_lsn=100, today=today)
    assert (await checkpoint.lead(house.conn, house.slot)).epoch == 1
    assert (await checkpoint.lead(house.conn, house.slot)).epoch == 2
    with pytest.raises(DeposedError):
        await write(house.conn, house.slot)
    found = await checkpoint.read(house.conn, house.slot)
    assert found is not None
    assert (found.epoch, found.end_lsn) == (2, 100)


async def test_a_batch_that_waited_for_a_new_leader_is_refused(house: House) -> None:
    await checkpoint.start(house.conn, house.slot, system_id="1", timeline=1, end_lsn=100, today=house.frame.today)
    async with await connect(house.database.dsn, application="test batch", lock_timeout="60s") as late:
        async with house.conn.transaction():
            await checkpoint.lead(house.conn, house.slot)
            batch = asyncio.create_task(taken(late, house.slot, epoch=0, end_lsn=200))

            async def waits() -> bool:
                waiting = "select count(*) from pg_stat_activity where application_name = 'roomwire test batch'"
                return bool(await house.ask(f"{waiting} and wait_event_type = 'Lock'")) or batch.done()

            assert await until(waits, 60)
            assert not batch.done()
        with pytest.raises(DeposedError):
            await batch
    found = await checkpoint.read(house.conn, house.slot)
    assert found is not None
    assert (found.epoch, found.end_lsn) == (1, 100)


async def test_a_batch_moves_nothing_while_one_of_its_transactions_or_one_before_is_hidden(house: House) -> None:
    await checkpoint.start(house.conn, house.slot, system_id="1", timeline=1, end_lsn=100, today=house.frame.today)
    await checkpoint.lead(house.conn, house.slot)
    of_slot = f"from booking_engine.checkpoint where slot = '{house.slot}'"
    row = f"select (end_lsn, committed_at, updated_at)::text {of_slot}"
    before = await house.ask(row)
    async with house.desk.transaction():
        cursor = await house.desk.execute("select pg_current_xact_id()::text::bigint & 4294967295")
        (hidden,) = await cursor.fetchone() or (0,)
        assert await taken(house.conn, house.slot, epoch=1, end_lsn=200, xids=[hidden]) == {hidden}
        assert await house.ask(row) == before
    assert await taken(house.conn, house.slot, epoch=1, xids=[hidden]) == set()
    assert await house.ask(row) == before, "what is said of its age is said of where it stands"
    assert await taken(house.conn, house.slot, epoch=1, end_lsn=200, xids=[hidden]) == set()
    assert await house.ask(f"select end_lsn::text {of_slot}") == "0/C8"


async def test_a_batch_of_one_change_waits_three_times(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await checkpoint.start(house.conn, house.slot, system_id="1", timeline=1, end_lsn=100, today=house.frame.today)
    key = "select hotel_id, id from booking_engine.document where kind = 'booking' and body is not null limit 1"
    reservation = await (await house.conn.execute(key)).fetchone()
    assert reservation is not None
    waits = 0

    def counted(session: PGconn) -> PQGen[None]:
        nonlocal waits
        waits += 1
        yield from send(session)

    monkeypatch.setattr(pipelines, "send", counted)
    async with await connect(house.database.dsn, application="test batch") as conn:
        async with transacting(conn):
            batch = await checkpoint.take(
                conn, house.slot, 0, xids=[], end_lsn=200, committed_at=datetime(2026, 5, 4, tzinfo=UTC)
            )

            async def begun() -> None:
                assert await batch.hidden() == set()

            await project(conn, Dirty(reservations={reservation}), house.frame, begun)
        assert waits == 3, "for what the bookings are computed from, for what was written, and for the commit"
        assert conn.pgconn.transaction_status == TransactionStatus.IDLE
