"""How much memory capture takes through transactions that are larger than any batch.

The nights of the large hotel are two years of them, seven in ten of them history, as a PMS's tables are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg

from outbox.signing import new_secret
from tests.bench import processes
from tests.bench.catchup import NOWHERE
from tests.bench.figures import Figure, at_most
from tests.bench.stage import Stage, caught_up, pid_of, position
from tests.support.daemon import Roomwire
from tests.support.servers.databases import Database

NIGHTS = (1_000_000, 50_000)
CLIENTS = (200_000, 10_000)
_STAY = 20
_BUDGET = at_most(150)

_GRAND_HOTEL = """
    insert into hotels (id, name, created_by, updated_by) values (99, 'Grand', 1, 1);
    select create_hotel_partitions(99);
    insert into room_types (id, hotel_id, name) values (1, 99, 'Single');
    insert into rooms (id, hotel_id, room_type_id, room_number) select n, 99, 1, n from generate_series(1, 300) n;
    insert into reservations (id, hotel_id, reservation_client_id, check_in, check_out, number_of_people, status)
    select md5(n::text)::uuid, 99, '22222222-2222-2222-2222-222222222222', d, d + %(stay)s, 1, 'confirmed'
    from generate_series(1, %(stays)s) n, lateral (select current_date + %(stay)s * (n %% 35 - 25) as d) at;
    insert into reservation_details (hotel_id, reservation_id, date, room_id, number_of_people, price, billable)
    select 99, r.id, r.check_in + n, 1 + abs(hashtext(r.id::text)) %% 300, 1, 8000, true
    from reservations r, generate_series(0, %(stay)s - 1) n where r.hotel_id = 99;
"""


async def measure(stage: Stage) -> AsyncIterator[Figure]:
    """Peak resident memory, and what the nightly job sends."""
    nights, clients = stage.scale.of(*NIGHTS), stage.scale.of(*CLIENTS)
    stage.say(f"building a hotel with {nights:,} nights")
    async with stage.roomwire(prepare=lambda pms: _enlarge(pms, nights, clients)) as roomwire:
        await roomwire.add_endpoint("engine", NOWHERE, new_secret())
        async with roomwire.running("--only", "capture") as daemon:
            stage.say("first sync")
            with roomwire.database.connect() as conn:
                await caught_up(roomwire, position(conn))
                pid = pid_of(daemon)
                yield _peak(stage, pid, "first sync", processes.memory(pid))
                before = _newest(conn)
                stage.say(f"one transaction updates {clients:,} clients twice")
                processes.forget_peak(pid)
                await _in_one(
                    roomwire,
                    "update clients set loyalty_tier = 'regular', updated_by = 1",
                    "update clients set loyalty_tier = 'prospect', updated_by = 1",
                )
                yield _peak(stage, pid, f"{clients:,} clients updated twice", processes.memory(pid))
                yield Figure(
                    "memory",
                    stage.name,
                    "documents that those updates changed",
                    _newer(conn, before),
                    "",
                    at_most(0),
                )
                stage.say(f"one transaction updates {nights:,} nights")
                processes.forget_peak(pid)
                await _in_one(roomwire, "update reservation_details set price = price + 1 where hotel_id = 99")
                yield _peak(stage, pid, f"{nights:,} nights updated", processes.memory(pid))


def _peak(stage: Stage, pid: int, name: str, peak: int) -> Figure:
    return Figure("memory", stage.name, f"peak: {name}", peak / processes.MEGABYTE, "MB", _BUDGET)


def _enlarge(pms: Database, nights: int, clients: int) -> None:
    """Import history with the triggers off, as the PMS's own imports do."""
    with pms.connect() as conn:
        conn.execute("set session_replication_role = replica")
        psycopg.ClientCursor(conn).execute(_GRAND_HOTEL.encode(), {"stays": nights // _STAY, "stay": _STAY})
        conn.execute("insert into clients (name) select 'client ' || n from generate_series(1, %s) n", (clients,))
        conn.execute("analyze")


async def _in_one(roomwire: Roomwire, *statements: str) -> None:
    """Run statements in one transaction with the triggers off, and wait until it has been captured."""
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as conn:
        await conn.execute("set session_replication_role = replica")
        for statement in statements:
            await conn.execute(statement.encode())
    with roomwire.database.connect() as other:
        await caught_up(roomwire, position(other))


def _newest(conn: psycopg.Connection[tuple[object, ...]]) -> int:
    row = conn.execute("select max(version) from booking_engine.document").fetchone()
    assert row is not None
    return int(str(row[0]))


def _newer(conn: psycopg.Connection[tuple[object, ...]], version: int) -> int:
    row = conn.execute("select count(*) from booking_engine.document where version > %s", (version,)).fetchone()
    assert row is not None
    return int(str(row[0]))
