"""A new session has planned a booking before the first one is made over it."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from api.bookings.create import make_booking
from api.context import Options, build
from daemon.serving import writers_pool
from outbox.secrets import Secrets
from sql.pool import Pool
from tests.integration.api.bookings.stays import asked, room_type
from tests.integration.api.bookings.test_plans import call
from tests.support.api import Api
from tests.support.daemon import SECRET_KEY

PLANNED = "select pg_backend_pid(), array_agg(statement) from pg_prepared_statements where generic_plans > 0"
WRITTEN = """
    select (select count(*) from reservations), (select count(*) from clients),
        (select count(*) from logs_reservation), (select count(*) from booking_engine.booking_link),
        (select count(*) from booking_engine.idempotency)
"""


async def planned(pool: Pool) -> tuple[int, set[str]]:
    """A session of the pool, and what it has planned."""
    async with pool.connection() as conn:
        row = await (await conn.execute(PLANNED, prepare=False)).fetchone()
    assert row is not None
    return row[0], set(row[1] or ())


async def test_the_first_booking_of_a_session_plans_nothing(api: Api) -> None:
    kind = await room_type(api, rooms=3)
    before = await api.rows(WRITTEN)
    async with writers_pool(make_conninfo(api.database.dsn), 2) as pool:
        await pool.wait()
        rehearsed = await planned(pool)
        assert any("insert into reservations" in statement for statement in rehearsed[1])
        assert await api.rows(WRITTEN) == before
        context = build(api.context.pool, pool, api.context.checks, Secrets([SECRET_KEY]), Options())
        made = await make_booking(call(context, asked(api, kind)))
        assert made.status == 201
        assert await planned(pool) == rehearsed
    assert await api.rows(WRITTEN) != before


async def test_a_session_that_could_not_rehearse_is_used_all_the_same(api: Api) -> None:
    async with api.desk.transaction():
        await api.desk.execute("lock table booking_engine.booking_link")
        async with writers_pool(make_conninfo(api.database.dsn), 2) as pool:
            await pool.wait()
            _, rehearsed = await planned(pool)
    assert any("insert into reservations" in statement for statement in rehearsed)
    assert not any("booking_link" in statement for statement in rehearsed)
