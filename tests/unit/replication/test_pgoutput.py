"""pgoutput messages that the recordings do not hold, built by hand."""

from __future__ import annotations

import struct

import pytest

from daemon.replication.changes import IGNORED, Message, Row, Truncate
from daemon.replication.errors import DecodeError
from daemon.replication.pgoutput import PgoutputDecoder

STAYS, OTHER = 7, 8


def relation(number: int, table: str, *columns: tuple[str, bool]) -> bytes:
    described = b"".join(
        struct.pack(">B", key) + name.encode() + b"\0" + struct.pack(">Ii", 25, -1) for name, key in columns
    )
    head = struct.pack(">cI", b"R", number) + b"public\0" + table.encode() + b"\0d"
    return head + struct.pack(">H", len(columns)) + described


def row(*values: bytes | None) -> bytes:
    parts = [b"n" if value is None else b"t" + struct.pack(">I", len(value)) + value for value in values]
    return struct.pack(">H", len(values)) + b"".join(parts)


def change(kind: bytes, number: int, *parts: bytes) -> bytes:
    return kind + struct.pack(">I", number) + b"".join(parts)


@pytest.fixture
def decoder() -> PgoutputDecoder:
    ready = PgoutputDecoder({"stays": frozenset({"id", "status"})})
    assert ready.decode(relation(STAYS, "stays", ("id", True), ("status", False), ("note", False))) is IGNORED
    assert ready.decode(relation(OTHER, "other", ("id", True))) is IGNORED
    return ready


def test_an_unwanted_value_is_stepped_over_whatever_its_bytes(decoder: PgoutputDecoder) -> None:
    event = decoder.decode(change(b"I", STAYS, b"N", row(b"1", b"hold", b"\xff" * 70_000)))
    assert event == Row("insert", "public", "stays", {"id": "1", "status": "hold"})


def test_a_wanted_value_that_is_not_utf8_is_an_error(decoder: PgoutputDecoder) -> None:
    with pytest.raises(DecodeError, match="UTF-8"):
        decoder.decode(change(b"I", STAYS, b"N", row(b"1", b"\xff", b"")))


def test_a_changed_key_is_told_with_its_old_value(decoder: PgoutputDecoder) -> None:
    event = decoder.decode(change(b"U", STAYS, b"K", row(b"1", None, None), b"N", row(b"2", b"hold", None)))
    assert event == Row("update", "public", "stays", {"id": "2", "status": "hold"}, {"id": "1"})


def test_an_old_row_tells_what_differs_and_is_known(decoder: PgoutputDecoder) -> None:
    event = decoder.decode(change(b"U", STAYS, b"O", row(b"1", b"hold", b"n"), b"N", row(b"1", b"block", None)))
    assert event == Row("update", "public", "stays", {"id": "1", "status": "block"}, {"status": "hold"})


def test_an_old_row_that_holds_only_its_key_claims_nothing_else(decoder: PgoutputDecoder) -> None:
    event = decoder.decode(change(b"D", STAYS, b"O", row(b"1", None, None)))
    assert event == Row("delete", "public", "stays", {"id": "1"})


def test_a_deleted_key_holds_only_key_columns(decoder: PgoutputDecoder) -> None:
    event = decoder.decode(change(b"D", STAYS, b"K", row(b"1", b"hold", None)))
    assert event == Row("delete", "public", "stays", {"id": "1"})


def test_a_relation_announced_again_is_read_as_announced(decoder: PgoutputDecoder) -> None:
    decoder.decode(relation(STAYS, "stays", ("new", False), ("status", False), ("id", True)))
    event = decoder.decode(change(b"I", STAYS, b"N", row(None, b"hold", b"1")))
    assert event == Row("insert", "public", "stays", {"status": "hold", "id": "1"})


@pytest.mark.parametrize("kind", [b"I", b"U", b"D"])
def test_rows_of_what_nobody_wants_are_ignored(decoder: PgoutputDecoder, kind: bytes) -> None:
    part = b"K" if kind == b"D" else b"N"
    assert decoder.decode(change(kind, OTHER, part, row(b"1"))) is IGNORED


def test_truncate_names_the_wanted_ones(decoder: PgoutputDecoder) -> None:
    both = struct.pack(">cIBII", b"T", 2, 1, OTHER, STAYS)
    assert decoder.decode(both) == Truncate((("public", "stays"),))
    assert decoder.decode(struct.pack(">cIBI", b"T", 1, 0, OTHER)) is IGNORED


def test_a_message_may_hold_any_bytes(decoder: PgoutputDecoder) -> None:
    payload = struct.pack(">cBQ", b"M", 0, 9) + b"prefix\0" + struct.pack(">I", 3) + b"\0\xff\0"
    assert decoder.decode(payload) == Message("prefix", b"\0\xff\0", False, 9)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"Z",
        b"S" + bytes(5),
        change(b"I", 99, b"N", row(b"1")),
        struct.pack(">cIBI", b"T", 1, 0, 99),
        struct.pack(">cIB", b"T", 2**32 - 1, 0),
        change(b"I", STAYS, b"N", row(b"1", b"hold")),
        change(b"I", STAYS, b"O", row(b"1", b"hold", None)),
        change(b"U", STAYS, b"X", row(b"1", b"hold", None)),
        change(b"U", STAYS, b"K", row(b"1", None, None), b"O", row(b"1", None, None)),
        change(b"D", STAYS, b"N", row(b"1", b"hold", None)),
        change(b"I", STAYS, b"N", struct.pack(">H", 3) + b"nnb" + bytes(4)),
        change(b"I", STAYS, b"N", struct.pack(">H", 3) + b"nnt" + struct.pack(">I", 2**32 - 1) + b"x"),
    ],
)
def test_what_cannot_be_understood_is_an_error(decoder: PgoutputDecoder, payload: bytes) -> None:
    with pytest.raises(DecodeError):
        decoder.decode(payload)


def test_an_error_says_where_and_quotes_no_content(decoder: PgoutputDecoder) -> None:
    with pytest.raises(DecodeError, match=r"pgoutput message 'I'") as caught:
        decoder.decode(change(b"I", STAYS, b"N", row(b"1", b"Yamada Taro", None))[:-1])
    assert "Yamada" not in str(caught.value)
