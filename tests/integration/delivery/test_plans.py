"""What the hot statements read, as PostgreSQL tells it."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from outbox.delivery import first_sync
from sql import delivery, ledger, workers
from sql.delivery import Result, Verdict
from sql.ledger import Choice
from sql.pool import connect
from tests.integration.delivery.conftest import Bench
from tests.support.servers.databases import Database

Plan = dict[str, Any]
WORKER = uuid4()


@pytest.fixture
async def plans(bench: Bench) -> AsyncIterator[list[Plan]]:
    """The plan of every statement that `bench.documents.conn` runs, newest last."""
    conn, found = bench.documents.conn, list[Plan]()
    for setting in ("log_min_duration = 0", "log_analyze = on", "log_buffers = on", "log_format = json"):
        await conn.execute("load 'auto_explain'")
        await conn.execute(f"set auto_explain.{setting}")
    for setting, value in delivery.SESSION.items():
        await conn.execute(f"set {setting} = '{value}'")
    await conn.execute("set client_min_messages = log")
    conn.add_notice_handler(lambda notice: found.append(_parsed(notice.message_primary or "")))
    yield found
    await conn.execute("reset client_min_messages")


def _parsed(message: str) -> Plan:
    plan: Plan = json.loads(message[message.index("{") :])["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def deliver_all(bench: Bench) -> None:
    while True:
        token = uuid4()
        claims = (
            await delivery.claim(bench.documents.conn, 1, worker=WORKER, token=token, size=1000, lease=30)
        ).claims
        if not claims:
            return
        results = [Result(*claim[:3], token, claim.version or 0, "delivered") for claim in claims]
        await delivery.settle(bench.documents.conn, 1, results, [])


async def test_a_long_queue_is_never_read_whole(bench: Bench, plans: list[Plan]) -> None:
    """Without statistics, which lag behind a queue that fills and empties in seconds."""
    await bench.endpoint()
    conn = bench.documents.conn
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await conn.execute("alter table booking_engine.behind set (autovacuum_enabled = off)")
    await conn.execute("analyze booking_engine.behind")
    await bench.documents.bookings(7, 20_000)
    plans.clear()
    token = uuid4()
    claims = (await delivery.claim(conn, 1, worker=WORKER, token=token, size=20, lease=30)).claims
    await delivery.settle(
        conn, 1, [Result(*claim[:3], token, claim.version or 0, "delivered") for claim in claims], []
    )
    await delivery.scan(conn, full=True)
    assert len(plans) == 3
    assert any(node.get("Index Name") == "behind_queue" for node in nodes(plans[0]))
    for plan in plans:
        wrong = [
            node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "behind"
        ]
        assert wrong == []
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 1_500


async def test_what_was_delivered_costs_nothing_though_the_pms_keeps_a_transaction_open(
    bench: Bench, plans: list[Plan], ours: Database
) -> None:
    """Then its rows cannot be cleaned away: looking at the whole queue reads them all, each time."""
    conn = bench.documents.conn
    await bench.documents.bookings(7, 5_000)
    number = await bench.endpoint()
    async with await connect(ours.dsn, application="a report") as report, report.transaction():
        await report.execute("set transaction isolation level repeatable read")
        await report.execute("select count(*) from booking_engine.behind")
        await conn.execute("update booking_engine.endpoint set fill_version = fill_version - 60000000")
        version = await bench.documents.value("select fill_version from booking_engine.endpoint")
        assert await first_sync.fill(bench.pool, number, version)
        await deliver_all(bench)
        await bench.documents.bookings(7, 1, first=5_000)
        plans.clear()
        (whole,) = await delivery.scan(conn, full=True)
        (end,) = await delivery.scan(conn, full=False)
        assert end.place is not None
        assert end.place == whole.place
        claimed = await delivery.claim(conn, 1, worker=WORKER, token=uuid4(), size=20, lease=30, place=end.place)
        (claim,) = claimed.claims
        assert claim.place == end.place
        read = [plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans]
        assert read[0] > 150, "the negative control: the pages of 5,000 dead rows"
        assert max(read[1:]) < 40


async def test_a_page_of_what_stands_at_one_place_reads_no_more_than_itself(
    bench: Bench, plans: list[Plan]
) -> None:
    """A first sync puts all bookings of a hotel there."""
    conn = bench.documents.conn
    await bench.documents.bookings(7, 1_000)
    number = await bench.endpoint()
    version = await bench.documents.value("select fill_version from booking_engine.endpoint")
    assert await first_sync.fill(bench.pool, number, version)
    whole = await ledger.waiting(conn, Choice(), 1_000)
    assert len({(row.queued, row.hotel_id) for row in whole}) == 1
    plans.clear()
    assert await ledger.waiting(conn, Choice(), 50, whole[499].place) == whole[500:550]
    (plan,) = plans
    read = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in nodes(plan)
        if node.get("Relation Name") == "behind"
    ]
    assert max(read) <= 51, "and the last one before it"


GROWN = """
    insert into booking_engine.document (kind, hotel_id, id, version, born, body)
    select 'booking', n % 50, md5(n::text), 5, 5, '{}' from generate_series(1, 60000) n;
    insert into booking_engine.behind
        (endpoint_id, kind, hotel_id, id, version, acked, place, rejected_at, not_before, tries, outages)
    select 1, 'booking', n % 50, md5(n::text), 5, 0, n,
        case when n % 3 = 0 then now() end,
        case when n % 3 = 1 then now() + interval '1 hour' end, (n % 3 = 0)::int * 6, (n % 3 = 1)::int
    from generate_series(1, 60000) n;
"""
"""A third of the keys was refused for good, a third waits after an outage, and the rest is due."""


async def test_plans_made_while_the_tables_were_empty_stay_good_when_they_have_grown(
    bench: Bench, plans: list[Plan]
) -> None:
    """Each is made once per connection; the negative control joins by keys, as one would."""
    await bench.endpoint()
    conn = bench.documents.conn
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await conn.execute("alter table booking_engine.behind set (autovacuum_enabled = off)")
    await conn.execute("alter table booking_engine.document set (autovacuum_enabled = off)")
    await conn.execute(KEYED)
    await conn.execute("execute keyed")
    await workers.renew(conn, WORKER, name="test", lease=600)
    await deliver_all(bench)
    await delivery.settle(conn, 1, [Result("booking", 1, "", uuid4(), 1, "delivered")], [])
    await delivery.scan(conn, full=True)
    await conn.execute(GROWN)
    plans.clear()
    token = uuid4()
    claims = (await delivery.claim(conn, 1, worker=WORKER, token=token, size=50, lease=30)).claims
    assert len(claims) == 50
    verdicts: tuple[Verdict, ...] = ("delivered", "delayed", "rejected", "released")
    results = [
        Result(*claim[:3], token, claim.version or 0, verdicts[n % 4], 60.0) for n, claim in enumerate(claims)
    ]
    await delivery.settle(conn, 1, results, [])
    await delivery.scan(conn, full=True)
    await conn.execute("execute keyed")
    *ours, keyed = [looked_at(plan) for plan in plans]
    assert len(ours) == 3
    assert max(ours) < 2_000
    assert keyed > 100_000, "the negative control"


def looked_at(plan: Plan) -> int:
    """How many rows all steps of a plan looked at."""
    removed = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    return sum(
        int((node["Actual Rows"] + sum(node.get(one, 0) for one in removed)) * node["Actual Loops"])
        for node in nodes(plan)
    )


KEYED = """
    prepare keyed as
    with due as (
        select kind, hotel_id, id from booking_engine.behind
        where endpoint_id = 1 and rejected_at is null and not_before is null order by place limit 50
    )
    update booking_engine.behind b set token = null from due
    where b.endpoint_id = 1 and b.kind = due.kind and b.hotel_id = due.hotel_id and b.id = due.id
"""


async def test_a_claim_costs_the_same_after_many_deliveries_and_beside_many_refused_keys(
    bench: Bench, plans: list[Plan]
) -> None:
    await bench.endpoint()
    conn = bench.documents.conn
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await workers.renew(conn, WORKER, name="test", lease=600)

    async def cost(first: int) -> int:
        await bench.documents.bookings(7, 50, first=first)
        plans.clear()
        claimed = await delivery.claim(conn, 1, worker=WORKER, token=uuid4(), size=20, lease=30, place=None)
        assert len(claimed.claims) == 20
        await conn.execute("delete from booking_engine.behind where rejected_at is null and not_before is null")
        return int(plans[0]["Shared Hit Blocks"] + plans[0]["Shared Read Blocks"])

    alone = await cost(1_000_000)
    await conn.execute(GROWN)
    await conn.execute("delete from booking_engine.behind where rejected_at is null and not_before is null")
    assert await cost(2_000_000) < 2 * alone + 100
