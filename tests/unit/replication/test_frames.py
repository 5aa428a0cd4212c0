"""Frames and positions: the wire's numbers, read and written."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.replication import frames
from daemon.replication.errors import DecodeError, ProtocolError
from daemon.replication.lsn import format_lsn, parse_lsn
from tests.fixtures.streams.record import recorded

LSNS = st.integers(0, 2**64 - 1)


def test_a_message_frame_gives_positions_time_and_payload() -> None:
    data = struct.pack(">cQQq", b"w", 0x10, 0x20, 1_000_000) + b"payload"
    assert frames.parse(data) == frames.XLogData(0x10, 0x20, 946_684_801.0, b"payload")
    assert frames.payload(data) == b"payload"


def test_a_keepalive_tells_whether_an_answer_is_wanted() -> None:
    for asked in (False, True):
        data = struct.pack(">cQqB", b"k", 2**64 - 1, 0, asked)
        assert frames.parse(data) == frames.Keepalive(2**64 - 1, 946_684_800.0, asked)
        assert frames.payload(data) is None


def test_a_servers_own_keepalive_is_read() -> None:
    first = frames.parse(recorded("pg15", "wal2json")[0])
    assert isinstance(first, frames.Keepalive)
    assert not first.reply_requested
    assert first.wal_end > 0


@pytest.mark.parametrize("data", [b"", b"x", b"w" + bytes(23), b"k" + bytes(16), b"k" + bytes(18), b"d" * 40])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="frame"):
        frames.parse(data)


def test_a_cut_message_frame_has_no_payload() -> None:
    with pytest.raises(ProtocolError, match="frame"):
        frames.payload(b"w" + bytes(23))


@given(written=LSNS, flushed=LSNS, applied=LSNS, now=st.floats(0, 4e9), reply=st.booleans())
def test_a_status_holds_what_it_was_given(
    written: int, flushed: int, applied: int, now: float, reply: bool
) -> None:
    data = frames.status(written, flushed, applied, now, reply=reply)
    kind, *positions, micros, asked = struct.unpack(">cQQQqB", data)
    assert (kind, positions, bool(asked)) == (b"r", [written, flushed, applied], reply)
    assert frames.unix_seconds(micros) == pytest.approx(now, abs=1e-6)


@pytest.mark.parametrize("lsn", [-1, 2**64])
def test_a_position_out_of_range_is_never_sent(lsn: int) -> None:
    with pytest.raises(ValueError, match="64-bit"):
        frames.status(0, lsn, 0, 0.0)


@pytest.mark.parametrize(
    ("text", "lsn"), [("0/0", 0), ("0/158F400", 22606848), ("16/B374D848", 97500059720), ("F/1", 15 << 32 | 1)]
)
def test_positions_are_read_and_written_as_postgresql_does(text: str, lsn: int) -> None:
    assert parse_lsn(text) == lsn
    assert format_lsn(lsn) == text


@given(lsn=LSNS)
def test_a_position_survives_its_notation(lsn: int) -> None:
    assert parse_lsn(format_lsn(lsn)) == lsn


@pytest.mark.parametrize(
    "text", ["", "0", "/", "0/", "0/1/2", "g/0", "+1/0", "1_0/0", "0/123456789", " 0/0", "0/٣"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        parse_lsn(text)
