"""Transactions on their way: assembled whole, finished in any order, confirmed in theirs."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import transactions
from daemon.replication.changes import IGNORED, Begin, Commit, Event, Message, Row, Truncate, Values
from daemon.transactions import MOST_KEYS, Assembler, Pending, Transaction
from outbox.dirty import Dirty, Scope

EVERYTHING = {Scope(kind, None) for kind in ("content", "availability", "booking")}


def assembled(*events: Event, xid: int = 9, end: int = 200) -> Transaction:
    """The transaction that these events make."""
    assembler = Assembler()
    assert assembler.feed(Begin(xid, 1000.5)) is None
    assert [assembler.feed(event) for event in events] == [None] * len(events)
    whole = assembler.feed(Commit(end - 8, end, 1000.5))
    assert whole is not None
    return whole


def hold(hotel: int = 7, number: str = "r1") -> Row:
    return Row("update", "public", "reservations", {"hotel_id": str(hotel), "id": number})


def transaction(end: int, keys: int = 0) -> Transaction:
    dirty = Dirty(reservations={(1, f"{end}-{n}") for n in range(keys)}) if keys else None
    return Transaction(xid=end, committed_at=float(end), end_lsn=end, dirty=dirty)


def pending(*arrived: Transaction) -> Pending:
    waiting = Pending()
    for one in arrived:
        waiting.add(one)
    return waiting


def test_a_transaction_has_its_id_its_time_its_position_and_its_keys() -> None:
    whole = assembled(hold(), hold(8), IGNORED)
    assert (whole.xid, whole.committed_at, whole.end_lsn) == (9, 1000.5, 200)
    assert whole.keys() == Dirty(reservations={(7, "r1"), (8, "r1")})
    assert not whole.done


def test_one_that_names_no_key_is_done_when_it_arrives() -> None:
    assert assembled(IGNORED).done
    assert assembled(IGNORED).dirty is None


def test_our_heartbeat_is_told_from_other_messages() -> None:
    assert assembled(Message("roomwire", b"12.5", True, 100)).beat == "12.5"
    assert assembled(Message("other", b"12.5", True, 100)).beat is None
    assert assembled(Message("roomwire", b"12.5", False, 100)).beat is None
    assert assembled(Message("roomwire", b"12.5", True, 100)).done


def test_nights_are_known_from_one_transaction_to_the_next_unless_a_table_comes_between_that_is_not() -> None:
    values: Values = {"hotel_id": "7", "id": "n1", "reservation_id": "r1", "date": "2026-12-24"}
    night = Row("update", "public", "reservation_details", values | {"room_id": "3", "cancelled": None})
    elsewhere = Row("update", "public", "reservation_details_new", values)
    assembler, nights = Assembler(), []
    for between in (IGNORED, IGNORED, elsewhere, IGNORED):
        for event in (Begin(1, 1.0), night, between):
            assembler.feed(event)
        whole = assembler.feed(Commit(90, 100, 1.0))
        assert whole is not None
        nights.append(whole.keys().nights)
    assert nights == [{(7, "2026-12-24")}, set(), set(), {(7, "2026-12-24")}]


def test_nothing_of_a_transaction_is_left_in_the_next() -> None:
    assembler = Assembler()
    for event in (Begin(1, 1.0), hold(), Truncate((("public", "leaf"),)), Commit(90, 100, 1.0), Begin(2, 2.0)):
        assembler.feed(event)
    second = assembler.feed(Commit(190, 200, 2.0))
    assert second is not None
    assert second.done


def test_an_unknown_leaf_is_remembered_with_its_hotel() -> None:
    row = Row("insert", "public", "reservations_9", {"hotel_id": "9"})
    assert assembled(row).unknown == {("public", "reservations_9", 9)}
    assert not assembled(row).done


def test_an_unknown_relation_without_a_hotel_is_noise() -> None:
    assert assembled(Row("insert", "public", "letters", {})).done
    assert assembled(Row("insert", "public", "letters", {"hotel_id": None})).done


@pytest.mark.parametrize("hotel", ["9f1c", "-", "1.5", ""])
def test_a_stranger_may_call_anything_a_hotel(hotel: str) -> None:
    whole = assembled(Row("insert", "stats", "visits", {"hotel_id": hotel}))
    assert whole.unknown == ({("stats", "visits", None)} if hotel else set())


def test_a_namesake_in_another_schema_is_not_the_pms() -> None:
    archived = Row("insert", "archive", "reservations", {"hotel_id": "7"})
    assert assembled(archived).unknown == {("archive", "reservations", 7)}
    emptied = assembled(Truncate((("archive", "reservations"),)))
    assert (emptied.dirty, emptied.unknown) == (None, {("archive", "reservations", None)})


def test_emptied_tables_are_everything_and_emptied_leaves_are_looked_up() -> None:
    assert assembled(Truncate((("public", "reservation_details"),))).keys() == Dirty(scopes=EVERYTHING)
    assert assembled(Truncate((("public", "rooms_9"),))).unknown == {("public", "rooms_9", None)}


def test_a_transaction_too_large_to_hold_keeps_its_hotels_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MOST_KEYS", 1_000)
    most = 0
    assembler = Assembler()
    assembler.feed(Begin(1, 1.0))
    for number in range(20_000):
        assembler.feed(hold(number % 3, f"r{number}"))
        most = max(most, len(assembler._open.keys()))
    whole = assembler.feed(Commit(1, 2, 1.0))
    assert whole is not None
    assert whole.keys() == Dirty(scopes={Scope(kind, n) for kind in ("availability", "booking") for n in range(3)})
    assert most <= 5_010


def test_the_position_moves_with_commits_and_between_them_with_keepalives() -> None:
    assembler = Assembler()
    assembler.idle(50)
    assert assembler.position == 50
    assembler.feed(Begin(1, 1.0))
    assembler.idle(80)
    assert assembler.position == 50, "half of a transaction is not received whole"
    assembler.feed(Commit(90, 100, 1.0))
    assert assembler.position == 100
    assembler.idle(70)
    assert assembler.position == 100


def test_those_without_keys_take_no_room_and_keep_the_last_position() -> None:
    waiting = pending(*(transaction(n) for n in range(1, 1_000)))
    assert len(waiting._transactions) == 1
    assert waiting.empty
    assert waiting.window(10) == []
    reached = waiting.reached([])
    assert reached is not None
    assert reached.end_lsn == 999


def test_one_without_keys_never_hides_one_with_keys() -> None:
    first, second = transaction(2, keys=1), transaction(4, keys=1)
    waiting = pending(transaction(1), first, transaction(3), second, transaction(5), transaction(6))
    assert waiting.window(10) == [first, second]
    assert [t.end_lsn for t in waiting._transactions] == [1, 2, 3, 4, 6]
    assert not waiting.empty


def test_the_checkpoint_stops_before_the_first_that_is_not_finished() -> None:
    hidden, visible, empty = transaction(1, keys=1), transaction(2, keys=1), transaction(3)
    waiting = pending(hidden, visible, empty)
    assert waiting.reached([visible]) is None
    waiting.finish([visible])
    assert waiting.window(10) == [hidden]
    assert waiting.reached([hidden]) is empty
    waiting.finish([hidden])
    assert waiting.empty
    assert waiting.reached([]) is None


def test_a_window_ends_with_the_transaction_that_fills_it() -> None:
    arrived = [transaction(n, keys=4) for n in range(1, 5)]
    assert pending(*arrived).window(8) == arrived[:2]
    assert pending(*arrived).window(9) == arrived[:3]
    assert pending(*arrived).window(1) == arrived[:1]


def test_what_is_not_visible_takes_no_room_from_what_is() -> None:
    hidden, visible = transaction(1, keys=500), transaction(2, keys=1)
    waiting = pending(hidden, visible)
    assert waiting.window(500) == [hidden]
    waiting.hide([hidden])
    assert waiting.window(500) == [hidden, visible]


async def test_too_much_stops_the_reader_until_it_is_done() -> None:
    waiting = Pending()
    large = [transaction(n, keys=MOST_KEYS // 2 - 100) for n in range(1, 4)]
    for one in large[:2]:
        waiting.add(one)
    await asyncio.wait_for(waiting.room(), 30)
    waiting.add(large[2])
    reader = asyncio.create_task(waiting.room())
    waiting.finish(large[1:2])
    await asyncio.wait_for(reader, 1)
    assert waiting.reached([]) is None


async def test_many_small_transactions_stop_the_reader_too() -> None:
    waiting = Pending()
    small = [transaction(n, keys=1) for n in range(1, MOST_KEYS // 8 + 1)]
    for one in small:
        waiting.add(one)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting.room(), 0.01)
    waiting.finish(small)
    await asyncio.wait_for(waiting.room(), 30)


async def test_an_arrival_is_awaited_only_while_there_is_nothing_to_do() -> None:
    waiting = Pending()
    async with asyncio.timeout(30):
        await waiting.arrival(0.001)
        waiting.add(transaction(1, keys=1))
        await waiting.arrival(60)
        waiting.quiet()
        comes = asyncio.create_task(waiting.arrival(60))
        waiting.add(transaction(2))
        assert not comes.done()
        waiting.add(transaction(3, keys=1))
        await comes


@given(data=st.data())
def test_whatever_is_visible_when_the_checkpoint_passes_nothing_unfinished(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 3), max_size=20))
    arriving = [transaction(n, keys) for n, keys in enumerate(sizes, 1)]
    everything = list(arriving)
    waiting, finished, checkpoint = Pending(), {t.end_lsn for t in everything if t.done}, 0
    while arriving or not waiting.empty:
        for _ in range(data.draw(st.integers(min(1, len(arriving)), len(arriving)))):
            waiting.add(arriving.pop(0))
        window = waiting.window(data.draw(st.integers(1, 8)))
        # With nothing more to come, what has been held is released at last.
        visible = [t for t in window if not arriving or data.draw(st.booleans())]
        waiting.hide([t for t in window if t not in visible])
        reached = waiting.reached(visible)
        waiting.finish(visible)
        finished |= {t.end_lsn for t in visible}
        if reached is not None:
            assert reached.end_lsn >= checkpoint
            checkpoint = reached.end_lsn
        assert all(lsn in finished for lsn in range(1, checkpoint + 1))
    assert finished == {t.end_lsn for t in everything}
    assert all(t.done for t in everything)
    reached = waiting.reached([])
    assert (reached.end_lsn if reached else checkpoint) == len(everything)
    assert waiting._weight == 0
