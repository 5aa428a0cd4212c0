"""What an endpoint lacks, key by key: listed, told, tried again and skipped."""

from typing import Any

import pytest

from outbox import deliveries
from outbox.keys import parse, written
from sql import endpoints, ledger
from sql.ledger import Author, Choice
from sql.pool import connect
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id, nights
from tests.support.servers.databases import Database
from tests.unit.outbox.samples import DAY

GOOD, BAD = booking_id(1), booking_id(2)
AUTHOR = Author("operator", "request-1")


async def refusing(bench: Bench) -> None:
    """An endpoint that refuses one of two bookings, for the first time just now."""

    async def picky(message: dict[str, Any]) -> int:
        return 422 if message["data"].get("booking_id") == BAD else 204

    bench.receiver.answer = picky
    await bench.endpoint(hotels=[7])
    async with bench.delivering():
        await bench.idle()
        await bench.documents.booking(7, GOOD)
        await bench.documents.booking(7, BAD)
        await bench.documents.availability(7, 71, nights(DAY, [1]))
        await eventually(lambda: rejected(bench))


async def rejected(bench: Bench) -> bool:
    return await bench.count("behind where tries = 1") == await bench.count("behind") == 1


@pytest.mark.parametrize("hotel", [None, 7])
async def test_a_list_goes_on_where_its_last_page_ended(bench: Bench, hotel: int | None) -> None:
    conn = bench.documents.conn
    for name in ("b", "a"):
        await bench.endpoint(name)
    for number in (7, 8):
        await bench.documents.hotel(number)
        await bench.documents.bookings(number, 4, first=10 * number)
    # Many were refused, or are due, at the same moment.
    await conn.execute(
        "update booking_engine.behind set rejected_at = case when n % 3 = 0 then now() end,"
        " not_before = case when n % 3 = 1 then now() end"
        " from (select ctid as row, row_number() over () as n from booking_engine.behind) numbered"
        " where row = behind.ctid"
    )
    whole = await ledger.waiting(conn, Choice(hotel=hotel), 100)
    assert {row.section for row in whole} == {0, 1, 2}
    assert len(whole) == (10 if hotel else 20)
    for size in (1, 3):
        pages: list[ledger.Waiting] = []
        while page := await ledger.waiting(conn, Choice(hotel=hotel), size, pages[-1].place if pages else None):
            pages += page
        assert pages == whole


async def test_what_is_behind_is_listed_the_refused_first(bench: Bench) -> None:
    await refusing(bench)
    conn = bench.documents.conn
    await conn.execute("update booking_engine.behind set rejected_at = now()")
    await bench.documents.hotel(7)
    await bench.endpoint("other", hotels=[8])
    await bench.documents.hotel(8)

    async def listed(most: int = 10, **wishes: Any) -> list[tuple[str, str]]:
        rows = await ledger.waiting(conn, Choice(**wishes), most)
        return [(row.name, written(row.kind, row.hotel_id, row.id)) for row in rows]

    refused, hotel, other = ("engine", f"booking:7:{BAD}"), ("engine", "hotel:7"), ("other", "hotel:8")
    assert await listed() == [refused, hotel, other]
    assert await listed(1) == [refused]
    assert await listed(endpoint="other") == [other]
    assert await listed(hotel=7) == [refused, hotel]
    assert await listed(rejected=True) == [refused]
    assert await listed(within=[8, 9]) == [other]
    assert await listed(keys=[parse("hotel:7"), parse("hotel:8")]) == [hotel, other]
    assert await listed(keys=[]) == []
    (row, *_) = await ledger.waiting(conn, Choice(), 10)
    assert (row.tries, row.last_error, row.acked, row.in_flight) == (1, "HTTP 422", 0, False)


async def test_the_story_of_a_key_says_who_has_it_and_what_was_tried(bench: Bench) -> None:
    await refusing(bench)
    conn = bench.documents.conn
    await bench.endpoint("elsewhere", hotels=[8])
    bad = await deliveries.story(conn, parse(f"booking:7:{BAD}"))
    assert bad.document is not None
    assert [(one.name, one.version, one.tries) for one in bad.told] == [("engine", bad.document.version, 1)]
    assert [(one.outcome, one.status, one.type) for one in bad.tried] == [("rejected", 422, "booking.created")]
    good = await deliveries.story(conn, parse(f"booking:7:{GOOD}"))
    assert [(one.name, one.version) for one in good.told] == [("engine", None)], "it has it"
    (sent,) = [received for received in bench.receiver.accepted if received.data.get("booking_id") == GOOD]
    assert [(one.webhook_id, one.outcome) for one in good.tried] == [(sent.webhook_id, "delivered")]
    assert [one.webhook_id for one in await ledger.attempts(conn, webhook_ids=[sent.webhook_id])] == [
        sent.webhook_id
    ]
    night = await deliveries.story(conn, parse("availability:7:71"))
    assert [one.type for one in night.tried] == ["availability.updated"]
    nothing = await deliveries.story(conn, parse("booking:7:none"))
    assert (nothing.document, nothing.tried) == (None, [])
    # A newer version has not been tried yet.
    await bench.documents.booking(7, GOOD, number_of_people=4)
    again = await deliveries.story(conn, parse(f"booking:7:{GOOD}"))
    assert (again.tried, again.told[0].version is not None) == ([], True)


async def test_what_was_refused_is_tried_again_at_once(bench: Bench) -> None:
    await refusing(bench)
    conn = bench.documents.conn
    assert await ledger.retry(conn, Choice(endpoint="other")) == 0
    bench.receiver.answer = accept
    assert await ledger.retry(conn, Choice(endpoint="engine")) == 1, "it would have waited for five seconds"
    async with bench.delivering():
        await bench.idle()
    await conn.execute("update booking_engine.behind set rejected_at = now()")
    assert await ledger.retry(conn, Choice(endpoint="engine")) == 0
    assert bench.receiver.types().count("booking.created") == 2


async def test_many_are_tried_again_and_skipped_in_pages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is a short transaction: who marks the same keys waits for it."""
    monkeypatch.setattr("sql.ledger._PAGE", 10)
    await bench.endpoint(hotels=[7])
    conn = bench.documents.conn
    await conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.bookings(7, 38)
    refuse = "update booking_engine.behind set rejected_at = now(), last_error = 'no'"
    await conn.execute(refuse)
    everything = Choice(endpoint="engine")
    assert await ledger.retry(conn, everything, most=10) == 10
    assert await ledger.retry(conn, everything, most=15) == 20, "whole pages"
    assert await ledger.retry(conn, everything) == 8
    await conn.execute(refuse)
    assert await ledger.skip(conn, Choice(endpoint="engine", rejected=True), AUTHOR, None) == 38
    assert await bench.count("audit_log where method = 'SKIP'") == 38
    assert await bench.count("behind") == 0


@pytest.mark.parametrize("named", [False, True])
async def test_a_page_that_others_have_locked_or_queued_already_is_not_the_last(
    bench: Bench, ours: Database, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.setattr("sql.ledger._PAGE", 4)
    await bench.endpoint(hotels=[7])
    conn = bench.documents.conn
    await bench.documents.bookings(7, 12)
    ids = [number for (number,) in await bench.rows("select id from booking_engine.behind order by id")]
    refuse = "update booking_engine.behind set rejected_at = now() + %s * interval '1 s' where id = %s"
    for place, number in enumerate(ids):
        await conn.execute(refuse, [place, number])
    choice = Choice(keys=[("booking", 7, number) for number in ids] if named else None)
    async with await connect(ours.dsn, application="capture", idle_in_transaction_session_timeout="0") as capture:
        async with capture.transaction():
            await capture.execute("select from booking_engine.behind where id = any(%s) for update", [ids[:5]])
            assert await ledger.retry(conn, choice) == 7
        assert await ledger.retry(conn, choice, most=1) == 4
        assert await ledger.retry(conn, choice) == 1


async def accept(_message: dict[str, Any]) -> int:
    return 204


async def test_what_is_skipped_counts_as_delivered_until_it_changes(bench: Bench) -> None:
    await refusing(bench)
    conn = bench.documents.conn
    key = parse(f"booking:7:{BAD}")
    (version,) = await bench.rows("select version from booking_engine.behind")
    choice = Choice(endpoint="engine", keys=[key])
    assert await ledger.skip(conn, choice, AUTHOR, "a guest's name it cannot store") == 1
    assert await bench.count("behind") == 0
    assert await bench.rows(
        "select request_id, source, key_id, method, path, hotel_id, status from booking_engine.audit_log"
    ) == [
        (
            "request-1",
            "operator",
            None,
            "SKIP",
            f"engine {key} version {version[0]} a guest's name it cannot store",
            7,
            200,
        )
    ]
    assert await ledger.skip(conn, choice, AUTHOR, None) == 0
    bench.receiver.answer = accept
    async with bench.delivering():
        await bench.idle()
        assert BAD not in {one.data.get("booking_id") for one in bench.receiver.accepted}
        await bench.documents.booking(7, BAD, number_of_people=1)
        await bench.idle()
    assert bench.receiver.accepted[-1].type == "booking.updated"


@pytest.mark.parametrize("text", ["hotel:7", "booking:7:3f6c1d0a-5b7e-4c1f-9a53-0d2f7b8e6a11", "snapshot:7:0-f"])
def test_a_key_reads_as_it_is_written(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "hotel", "night:7", "hotel:seven", "hotel:-1", "hotel:2147483648", "hotel:７"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        parse(text)


async def test_what_an_endpoint_lacks_is_counted_so_far_and_no_further(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.endpoint()
    await bench.documents.conn.execute("update booking_engine.endpoint set fill_version = null")
    await bench.documents.bookings(7, 5)
    await bench.documents.conn.execute("update booking_engine.behind set rejected_at = now()")
    (row,) = await endpoints.overview(bench.documents.conn)
    assert (row.behind, row.rejected, row.lacks) == (5, 5, "5 keys")
    monkeypatch.setattr(endpoints, "MOST_COUNTED", 3)
    (row,) = await endpoints.overview(bench.documents.conn)
    assert (row.behind, row.rejected, row.lacks) == (3, 3, "3 keys or more")
