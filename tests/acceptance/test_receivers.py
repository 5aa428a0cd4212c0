"""Receivers that misbehave: the mirror ends with the truth all the same, and nobody else notices."""

from __future__ import annotations

import math
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count
from typing import Any

import psycopg
import pytest

from deploy.pms.simulator import Simulator
from outbox.signing import new_secret
from tests.support.daemon import Roomwire, today, until
from tests.support.mirror.process import MirrorProcess
from tests.support.mirror.receiver import Mode
from tests.support.servers import ON_PG15, ON_PG18
from tests.support.truth import Key

pytestmark = pytest.mark.timeout(600)
"""Where the server makes no difference, one is enough."""

NOTICEABLE = 0.05
"""Seconds: one request that is waited for before another endpoint's takes longer."""


def staff(roomwire: Roomwire, *, seed: int = 5, rate: float | None = None, connections: int = 3) -> Simulator:
    """Staff at work."""
    return Simulator(roomwire.database.dsn, seed=seed, connections=connections, rate=rate, today=today())


@pytest.fixture
async def second(roomwire: Roomwire) -> AsyncIterator[MirrorProcess]:
    """Another engine's mirror, added as the endpoint `second`."""
    secret = new_secret()
    async with MirrorProcess(secret) as listening:
        await roomwire.add_endpoint("second", listening.url, secret)
        yield listening


class Desk:
    """Looks at our tables and changes the PMS."""

    def __init__(self, conn: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        self._conn = conn

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return await (await self._conn.execute(query.encode())).fetchall()

    async def one(self, query: str) -> Any:
        """The only value of a query's only row."""
        ((value,),) = await self.rows(query)
        return value

    async def change(self, statement: str) -> None:
        """Run a statement as the PMS does, in a transaction of its own."""
        async with self._conn.transaction():
            await self._conn.execute("set local my_app.user_id = '1'")
            await self._conn.execute(statement.encode())

    def holds(self, query: str) -> Callable[[], Awaitable[bool]]:
        """Whether a query says true now."""

        async def look() -> bool:
            return bool(await self.one(query))

        return look


@pytest.fixture
async def desk(roomwire: Roomwire) -> AsyncIterator[Desk]:
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn, autocommit=True) as conn:
        yield Desk(conn)


BEHIND = "select count(*) from booking_engine.behind b join booking_engine.endpoint e on e.id = b.endpoint_id"


@ON_PG18
async def test_a_receiver_that_misbehaves_on_a_third_of_the_requests_ends_with_the_truth(
    roomwire: Roomwire, mirror: MirrorProcess, second: MirrorProcess
) -> None:
    # A seed is used once: it draws the ids of new rows, too.
    seeds = count()

    async def delay(mode: Mode) -> float:
        """The median delay of the other endpoint while this one is in a mode."""
        first = len((await second.mirror()).delays)
        await mirror.control(mode)
        await staff(roomwire, seed=next(seeds), rate=40).run(actions=80)
        await mirror.control("ok")
        await roomwire.settled(180)
        return statistics.median((await second.mirror()).delays[first:])

    async with roomwire.running():
        await roomwire.settled(180)
        # By turns, so that a machine that is busy with something else is busy in both.
        pairs = [(await delay("ok"), await delay("unruly")) for _ in range(3)]
        if slowed(pairs):  # or two of three were busier with something else: what slows it down shows in more, too
            pairs += [(await delay("ok"), await delay("unruly")) for _ in range(4)]
    print(", ".join(f"{calm:.3f} s and {meanwhile:.3f} s beside it" for calm, meanwhile in pairs))  # noqa: T201  # for -rP
    assert sum((await mirror.requests()).tricks.values()) >= 20
    unruly, beside = await mirror.mirror(), await second.mirror()
    assert roomwire.wrong(beside) == []
    assert roomwire.wrong(unruly) == []
    assert unruly.stale == 0, "versions of a key only rise"
    assert beside.stale == 0
    assert not slowed(pairs)


def slowed(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether delays are longer beside something, of pairs without and with it.

    What slows an endpoint down does so in most pairs; what the machine does besides, in a few.
    """
    return statistics.median(meanwhile - calm * 1.5 for calm, meanwhile in pairs) >= NOTICEABLE


@pytest.mark.parametrize(("beside", "noticed"), [((9, 0, 0), False), ((0, 0, 0), False), ((9, 0, 9), True)])
def test_what_slows_another_endpoint_down_is_noticed(beside: Sequence[float], noticed: bool) -> None:
    calm = (0.02, 0.5, 0.03)
    pairs = [(one, 1.5 * one + NOTICEABLE / 4 * more) for one, more in zip(calm, beside, strict=True)]
    assert slowed(pairs) is noticed


LONG = pytest.param(10_000, marks=[pytest.mark.chaos, pytest.mark.timeout(900)])


@ON_PG15
@pytest.mark.parametrize("actions", [300, LONG])
async def test_two_endpoints_that_are_down_cost_a_row_per_key_and_get_the_net_state(
    roomwire: Roomwire, mirror: MirrorProcess, second: MirrorProcess, desk: Desk, actions: int
) -> None:
    async with roomwire.running():
        await roomwire.settled(180)
        for one in (mirror, second):
            await one.control("down")
        await staff(roomwire, connections=6).run(actions=actions)
        await roomwire.captured(400)
        keys = await desk.one("select count(*) from booking_engine.document")
        behind = await desk.one(BEHIND)
        assert keys > 0
        assert 0 < behind <= 2 * keys
        assert await until(desk.holds(CONFIRMED.format(roomwire.slot)), 120), "the slot holds no WAL for them"
        taken = [sum((await one.mirror()).counts.values()) for one in (mirror, second)]
        for one in (mirror, second):
            await one.control("ok")
        await roomwire.settled(180)
    for before, one in zip(taken, (mirror, second), strict=True):
        known = await one.mirror()
        assert roomwire.wrong(known) == []
        assert known.stale == 0
        assert sum(known.counts.values()) - before <= behind / 2, "one message per key at most: the net state"


CONFIRMED = """
    select pg_wal_lsn_diff((select end_lsn from booking_engine.checkpoint), confirmed_flush_lsn) <= 0
    from pg_replication_slots where slot_name = '{}'
"""


CANCEL = "update reservation_details set cancelled = gen_random_uuid() where hotel_id = 1 and cancelled is null"
REVIVE = "update reservation_details set cancelled = null where hotel_id = 1"


@ON_PG18
async def test_what_an_endpoint_always_refuses_holds_up_nothing_else(
    roomwire: Roomwire, mirror: MirrorProcess, desk: Desk
) -> None:
    async with roomwire.running():
        await roomwire.settled(180)
        booking = await desk.one(
            "select id from booking_engine.document where kind = 'booking' and hotel_id = 1 and body is not null"
            " and body ->> 'status' = 'confirmed' order by id limit 1"
        )
        room_type = await desk.one("select min(id) from room_types where hotel_id = 1")
        refused: list[Key] = [("booking", 1, str(booking)), ("availability", 1, str(room_type))]
        await mirror.control("ok", refused)
        # All nights of the hotel in one transaction: its room types come in one message, its bookings in many.
        await desk.change(CANCEL)
        await roomwire.captured(180)
        guilty = f"(b.kind, b.id) in (('booking', '{booking}'), ('availability', '{room_type}'))"
        left = desk.holds(f"select ({BEHIND}) = 2 and ({BEHIND} where {guilty} and b.tries > 0) = 2")
        assert await until(left, 120), "everything else of the hotel is there"
        listed = (await roomwire.command("delivery", "list", "--endpoint", "mirror")).splitlines()
        assert len(listed) == 2
        assert all("HTTP 422" in line for line in listed)
        assert any(str(booking) in line for line in listed)
        split = "select max(keys), count(*) from booking_engine.attempt where outcome = 'rejected' and keys > 1"
        ((most, halvings),) = await desk.rows(split)
        assert halvings <= math.log2(most or 1) + 1, "it is found by halving"
        # However long its pause is, what is new is tried at once.
        await desk.change("update booking_engine.behind set not_before = now() + interval '1 day'")
        await mirror.control("ok")
        await desk.change(REVIVE)
        await roomwire.settled(180)
    assert roomwire.wrong(await mirror.mirror()) == []
