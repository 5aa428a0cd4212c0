"""wal2json messages that the recordings do not hold."""

from __future__ import annotations

import orjson
import pytest

from daemon.replication.changes import IGNORED, Event, Row
from daemon.replication.errors import DecodeError
from daemon.replication.wal2json import Wal2jsonDecoder

WANTED = {"reservations": frozenset({"id", "status"})}
ROOTS = {("public", "reservations_1"): "reservations", ("public", "logs_1"): "logs"}


def decode(message: object) -> Event:
    payload = message if isinstance(message, bytes) else orjson.dumps(message)
    return Wal2jsonDecoder(WANTED, ROOTS, {("public", "noise")}).decode(payload)


def insert(table: str, value: bytes = b'"x"', *, schema: str = "public") -> bytes:
    return (
        b'{"action":"I","schema":"%s","table":"%s","columns":[{"name":"id","value":%s},{"name":"status","value":"hold"}]}'
        % (schema.encode(), table.encode(), value)
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"true", "t"),
        (b"false", "f"),
        (b"0", "0"),
        (b"-7", "-7"),
        (b"1.10", "1.10"),
        (b"0.0000001", "0.0000001"),
        (b"1e+300", "1e+300"),
        (b"18446744073709551617", "18446744073709551617"),
        (b"-9223372036854775809", "-9223372036854775809"),
        (b"12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"),
        (b'"1.10"', "1.10"),
        (rb'"\"\\\/\b\f\n\r\t\u65e5\ud83c\udfe8"', '"\\/\b\f\n\r\t日🏨'),
        (b"null", None),
    ],
)
def test_a_value_is_text_as_postgresql_prints_it(value: bytes, text: str | None) -> None:
    expected = Row("insert", "public", "reservations", {"id": text, "status": "hold"})
    assert decode(insert("reservations_1", value)) == expected


@pytest.mark.parametrize("value", [b"[1]", b"{}", b'{"a":1}'])
def test_a_value_that_is_no_scalar_is_an_error(value: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(insert("reservations_1", value))


def test_a_leaf_of_a_root_that_nobody_wants_is_ignored() -> None:
    assert decode(insert("logs_1")) is IGNORED


def test_noise_is_ignored() -> None:
    assert decode(insert("noise")) is IGNORED


@pytest.mark.parametrize(("schema", "table"), [("public", "reservations_9"), ("archive", "reservations")])
def test_a_relation_nobody_knows_is_reported_by_its_own_name(schema: str, table: str) -> None:
    assert decode(insert(table, b"5", schema=schema)) == Row("insert", schema, table, {"id": "5"})


def test_a_truncated_leaf_nobody_knows_is_reported() -> None:
    event = decode({"action": "T", "schema": "public", "table": "reservations_9"})
    assert event == ((("public", "reservations_9"),),)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"action": None},
        {"action": "X"},
        {"action": "B", "timestamp": "2026-01-01 00:00:00+00"},
        {"action": "B", "xid": 2**32, "timestamp": "2026-01-01 00:00:00+00"},
        {"action": "B", "xid": "1", "timestamp": "2026-01-01 00:00:00+00"},
        {"action": "B", "xid": 1, "timestamp": "2026-01-01 00:00:00"},
        {"action": "B", "xid": 1, "timestamp": "yesterday"},
        {"action": "C", "timestamp": "2026-01-01 00:00:00+00", "lsn": "0/1"},
        {"action": "C", "timestamp": "2026-01-01 00:00:00+00", "lsn": "0/1", "nextlsn": "1"},
        {"action": "M", "transactional": 1, "prefix": "p", "content": "c", "lsn": "0/1"},
        {"action": "M", "transactional": True, "prefix": None, "content": "c", "lsn": "0/1"},
        {"action": "I", "schema": "public", "table": "reservations_1"},
        {"action": "D", "schema": "public", "table": "reservations_1", "columns": []},
        {"action": "I", "schema": "public", "table": 5, "columns": []},
        {"action": "I", "schema": None, "table": "x", "columns": []},
        {"action": "I", "schema": "public", "table": "x", "columns": [{"name": "id"}]},
    ],
)
def test_a_message_that_lacks_something_is_an_error(message: object) -> None:
    with pytest.raises(DecodeError):
        decode(message)


def test_an_error_quotes_no_content() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(b'{"action":"I","guest":"Yamada Taro"')
    assert "Yamada" not in str(caught.value)


def test_values_are_found_by_name_wherever_the_columns_stand() -> None:
    decoder = Wal2jsonDecoder(WANTED, ROOTS)
    rows: list[tuple[str, str, dict[str, str | None], dict[str, str | None]]] = [
        ("public", "reservations_1", {"id": "a", "status": "hold", "note": "x"}, {"id": "a", "status": "hold"}),
        ("public", "reservations_1", {"status": "hold", "id": "b", "note": "x"}, {"id": "b", "status": "hold"}),
        ("public", "reservations_1", {"note": "x", "status": None, "agent": "y"}, {"status": None}),
        ("public", "reservations_1", {"id": "c", "status": "block", "agent": "y"}, {"id": "c", "status": "block"}),
        ("archive", "reservations", {"id": "d", "status": "old", "hotel_id": "7"}, {"id": "d", "hotel_id": "7"}),
    ]
    for schema, table, columns, values in rows:
        listed = [{"name": name, "value": value} for name, value in columns.items()]
        event = decoder.decode(orjson.dumps({"action": "I", "schema": schema, "table": table, "columns": listed}))
        assert isinstance(event, Row)
        assert event.values == values
