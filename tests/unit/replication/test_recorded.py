"""The servers' own streams, decoded: what both plugins say of every case the PMS can produce."""

from __future__ import annotations

import pytest

from daemon.replication.changes import IGNORED, Begin, Commit, Message, Row, Truncate
from daemon.replication.pgoutput import PgoutputDecoder
from daemon.replication.wal2json import Wal2jsonDecoder
from tests.fixtures.streams.expected import NOISE, ROOTS, decoder, inside, transactions
from tests.fixtures.streams.record import messages

STREAMS = [("pg15", "wal2json"), ("pg15", "pgoutput"), ("pg18", "pgoutput")]


@pytest.mark.parametrize(("server", "plugin"), STREAMS)
def test_every_transaction_is_decoded_as_the_workload_wrote_it(server: str, plugin: str) -> None:
    decode = decoder(plugin).decode
    events = [decode(message.payload) for message in messages(server, plugin)]
    placeless = [event._replace(lsn=0) if isinstance(event, Message) else event for event in events]
    arriving = [(name, group) for name, group in transactions(plugin).items() if group is not None]
    for (name, wanted), got in zip(arriving, inside(placeless), strict=True):
        assert (name, got) == (name, list(wanted))


@pytest.mark.parametrize(("server", "plugin"), STREAMS)
def test_positions_and_times_agree_with_the_frames_that_brought_them(server: str, plugin: str) -> None:
    decode = decoder(plugin).decode
    began: float | None = None
    xid = end = 0
    for message in messages(server, plugin):
        event = decode(message.payload)
        if isinstance(event, Begin):
            assert event.xid > xid
            xid, began = event
            assert 0 <= message.send_time - began < 60
        elif isinstance(event, Commit):
            assert end <= event.commit_lsn < event.end_lsn == message.start
            assert event.commit_time == began
            end, began = event.end_lsn, None
        elif isinstance(event, Message):
            assert event.lsn >= end
            assert event.transactional == (began is not None)
    assert end > 0


@pytest.mark.parametrize(("server", "plugin"), STREAMS)
def test_who_wants_nothing_gets_no_row(server: str, plugin: str) -> None:
    everything = NOISE | set(ROOTS) | {("public", table) for table in ROOTS.values()}
    everything |= {("public", name) for name in ("hotels", "clients", "Mixed Case", "kinds", "reservations_3")}
    idle = PgoutputDecoder({}) if plugin == "pgoutput" else Wal2jsonDecoder({}, {}, everything)
    kinds = {type(idle.decode(message.payload)) for message in messages(server, plugin)}
    assert kinds == {Begin, Commit, Message, type(IGNORED)}


def test_a_leaf_learned_while_the_stream_runs_is_reported_by_its_root() -> None:
    roots = dict(ROOTS)
    decoder = Wal2jsonDecoder({"reservations": frozenset({"id", "status"})}, roots, NOISE)
    found = []
    for message in messages("pg15", "wal2json"):
        event = decoder.decode(message.payload)
        if isinstance(event, Row) and event.table in ("reservations_3", "reservations"):
            found.append((event.table, event.action, sorted(event.values)))
            if event.table == "reservations_3":
                roots["public", "reservations_3"] = "reservations"
    assert found[-2:] == [
        ("reservations_3", "insert", ["hotel_id", "id"]),
        ("reservations", "delete", ["id"]),
    ]


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
def test_truncating_what_nobody_wants_is_ignored(plugin: str) -> None:
    wanted = {"clients": frozenset({"id"})}
    noise = NOISE | {("public", "reservation_details")}
    idle = PgoutputDecoder(wanted) if plugin == "pgoutput" else Wal2jsonDecoder(wanted, ROOTS, noise)
    events = [idle.decode(message.payload) for message in messages("pg15", plugin)]
    truncated = [event for event in events if isinstance(event, Truncate)]
    assert truncated == [Truncate((("public", "clients"),))]
