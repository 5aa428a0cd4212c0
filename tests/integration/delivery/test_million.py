"""What is said often, or by somebody who waits, costs the same with a million rows of each as with few."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from outbox.delivery import partitions
from sql import delivery, endpoints, ledger, replay, watch, workers
from sql.delivery import Result
from sql.ledger import Choice, Place
from sql.pool import connect
from sql.queries import load
from sql.replay import Scope
from tests.integration.delivery.conftest import Bench
from tests.integration.delivery.test_plans import Plan, nodes
from tests.support.servers.databases import Database

FEW, MANY = 10_000, 1_000_000
GROWING = {"behind", "document", "attempt"}
WORKER = uuid4()
_QUERIES = load(str(Path(__file__).with_name("million.sql")))
_KEY = ("booking", 1, "00000000-0000-0000-0000-000000000010")
_PLACE = Place(2, 0, 1_700_000_000_000_500, *_KEY[1::-1], _KEY[2], "e1")
_MESSAGE = "msg_c4ca4238a0b923820dcc509a6f75849b"

Statement = Callable[[AsyncConnection], Awaitable[Any]]


async def _claim(conn: AsyncConnection, place: int | None = 0) -> None:
    """Claim, and settle in every way there is."""
    token = uuid4()
    claimed = await delivery.claim(conn, 1, worker=WORKER, token=token, size=40, lease=30, place=place)
    verdicts: tuple[delivery.Verdict, ...] = ("delivered", "delayed", "rejected", "released")
    results = [
        Result(*claim[:3], token, claim.version or 0, verdicts[n % 4], 60.0)
        for n, claim in enumerate(claimed.claims)
    ]
    await delivery.settle(conn, 1, results, [])


async def _mark(conn: AsyncConnection, scope: Scope) -> None:
    """Mark a page of a replay."""
    made = await replay.add(conn, 1, scope, reason="test")
    assert made is not None
    await replay.mark(conn, made, 500)


_ALL = "select count(*) from booking_engine.behind where tries = 9"
OFTEN: Mapping[str, Statement] = {
    "renew": lambda conn: workers.renew(conn, WORKER, name="test", lease=600),
    "claim from the queue's head": _claim,
    "claim what was marked just now": lambda conn: _claim(conn, None),
    "claim from the middle": lambda conn: _claim(conn, 1_700_000_000_000_500),
    "scan": lambda conn: delivery.scan(conn, full=True),
    "scan of the end": lambda conn: delivery.scan(conn, full=False),
    "heartbeat": lambda conn: delivery.heartbeat(conn, 2, lease=30),
    "replay's page": lambda conn: _mark(conn, Scope()),
    "replay's page of a kind": lambda conn: _mark(conn, Scope(kinds=["hotel"])),
    "replay's page of a hotel": lambda conn: _mark(conn, Scope(hotels=[7], kinds=["hotel"])),
}
"""As delivery says it, over its own sessions."""
SEEN: Mapping[str, Statement] = {
    "list": lambda conn: ledger.waiting(conn, Choice(), 50),
    "list from the queue's middle": lambda conn: ledger.waiting(conn, Choice(), 50, _PLACE),
    "list of an endpoint": lambda conn: ledger.waiting(conn, Choice(endpoint="e1"), 50),
    "list of a hotel": lambda conn: ledger.waiting(conn, Choice(hotel=1), 50),
    "list of refused keys": lambda conn: ledger.waiting(conn, Choice(rejected=True), 50),
    "list of a hotel's refused keys": lambda conn: ledger.waiting(conn, Choice(rejected=True, hotel=1), 50),
    "list of keys": lambda conn: ledger.waiting(conn, Choice(keys=[_KEY]), 50),
    "retry of a key": lambda conn: ledger.retry(conn, Choice(endpoint="e1", keys=[_KEY])),
    "how endpoints stand with a key": lambda conn: ledger.told(conn, _KEY),
    "a message's attempts": lambda conn: ledger.attempts(conn, webhook_ids=[_MESSAGE], hotel=1),
    "attempts of a type": lambda conn: ledger.attempts(conn, types=["booking.updated"], hotel=1),
    "the last failures": watch.failures,
    "some refused keys": lambda conn: watch.refused(conn, 20),
    "replay's count of a hotel": lambda conn: replay.count(conn, 1, Scope(hotels=[70])),
    "an endpoint": lambda conn: endpoints.overview(conn, "e9"),
    "replay's count of a kind": lambda conn: replay.count(conn, 1, Scope(kinds=["hotel"])),
}
"""What somebody waits for, at a command or the API."""


@pytest.fixture
async def sessions(ours: Database) -> AsyncIterator[dict[str, AsyncConnection]]:
    """One as delivery's, and one as the API's and the commands'."""
    async with (
        await connect(ours.dsn, application="delivery", **delivery.SESSION) as often,
        await connect(ours.dsn, application="api") as seen,
    ):
        for conn in (often, seen):
            await conn.execute("load 'auto_explain'")
            for setting in ("log_analyze = on", "log_buffers = on", "log_timing = off", "log_format = json"):
                await conn.execute(f"set auto_explain.{setting}".encode())
        yield {"often": often, "seen": seen}


async def measured(conn: AsyncConnection, statement: Statement) -> tuple[int, set[str]]:
    """How many pages a statement touches, and which tables it reads whole. What it does is taken back."""
    plans = list[Plan]()

    def note(notice: Any) -> None:
        message = notice.message_primary or ""
        if message.startswith("duration"):
            plans.append(json.loads(message[message.index("{") :])["Plan"])

    conn.add_notice_handler(note)
    async with conn.transaction(force_rollback=True):
        await conn.execute("set local client_min_messages = log")
        await conn.execute("set local auto_explain.log_min_duration = 0")
        await statement(conn)
    conn.remove_notice_handler(note)
    assert plans
    whole = {
        node["Relation Name"].split("_2")[0]
        for plan in plans
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan"
    }
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans), whole


@pytest.mark.parametrize("server", [pytest.param("pg15", marks=pytest.mark.chaos), "pg18"], indirect=True)
async def test_a_million_costs_what_ten_thousand_cost(bench: Bench, sessions: dict[str, AsyncConnection]) -> None:
    """Over sessions that planned their statements while the tables were empty, and once more with statistics."""
    conn = bench.documents.conn
    for number in range(1, 9):
        await bench.endpoint(f"e{number}", heartbeat_seconds=60)
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await partitions.maintain(bench.pool)
    await conn.execute(_QUERIES["prepare"])
    # No foreign key is looked at, and the server may take its time: it may be vacuuming, too.
    for setting in ("session_replication_role = replica", "statement_timeout = '300s'", "lock_timeout = '60s'"):
        await conn.execute(f"set {setting}".encode())

    async def costs() -> dict[str, int]:
        found = {}
        for session, statements in (("often", OFTEN), ("seen", SEEN)):
            for name, statement in statements.items():
                found[name], whole = await measured(sessions[session], statement)
                assert whole & GROWING == set(), name
        return found

    async def fill(many: int) -> None:
        await conn.execute("truncate booking_engine.behind, booking_engine.document, booking_engine.attempt")
        await costs()
        for name in ("documents", "behind", "attempts"):
            await conn.execute(_QUERIES[name], {"many": many})

    await fill(FEW)
    few = await costs()
    await fill(MANY)
    grown = await costs()
    await conn.execute("analyze booking_engine.behind, booking_engine.document, booking_engine.attempt")
    known = await costs()
    for name, pages in few.items():
        # A heartbeat counts 10,000 keys, where there are so many.
        assert max(grown[name], known[name]) < 2 * pages + 400, name
        assert max(grown[name], known[name]) < 2_000, name
    read_all, _ = await measured(sessions["seen"], lambda conn: conn.execute(_ALL))
    assert read_all > 2_000, "a statement that reads all of it would be seen"
