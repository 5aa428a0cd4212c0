"""Cut and corrupted input: a clear error or a well-formed event, never another exception, never a part of a row."""

from __future__ import annotations

from functools import cache

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.replication import frames
from daemon.replication.changes import IGNORED, Begin, Commit, Event, Message, Row, Truncate
from daemon.replication.errors import DecodeError, ProtocolError
from daemon.replication.pgoutput import PgoutputDecoder
from daemon.replication.wal2json import Wal2jsonDecoder
from tests.fixtures.streams.expected import NOISE, ROOTS, WANTED, decoder
from tests.fixtures.streams.record import messages, recorded

STREAMS = [("pg15", "wal2json"), ("pg15", "pgoutput"), ("pg18", "pgoutput")]
FRAMES = tuple(frame for stream in STREAMS for frame in recorded(*stream))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@cache
def payloads(plugin: str) -> tuple[bytes, ...]:
    return tuple(message.payload for message in messages("pg15", plugin))


def told(plugin: str) -> PgoutputDecoder | Wal2jsonDecoder:
    """Return a decoder that has heard of every relation."""
    ready = decoder(plugin)
    for payload in payloads(plugin):
        if plugin == "pgoutput" and payload[:1] == b"R":
            ready.decode(payload)
    return ready


def well_formed(event: Event) -> bool:
    match event:
        case Begin(xid, time):
            return 0 <= xid < 2**32 and isinstance(time, float)
        case Commit(commit_lsn, end_lsn, time):
            return 0 <= commit_lsn < 2**64 and 0 <= end_lsn < 2**64 and isinstance(time, float)
        case Message(prefix, content, transactional, lsn):
            whole = isinstance(prefix, str) and isinstance(content, bytes)
            return whole and isinstance(transactional, bool) and 0 <= lsn < 2**64
        case Truncate(tables):
            return bool(tables) and all(isinstance(name, str) for table in tables for name in table)
        case Row(action, schema, table, values, old):
            named = action in ("insert", "update", "delete") and type(schema) is type(table) is str
            pairs = [*values.items(), *old.items()]
            return named and all(type(k) is str and (v is None or type(v) is str) for k, v in pairs)
    return event is IGNORED


def decoded_or_refused(plugin: str, payload: bytes) -> None:
    try:
        event = told(plugin).decode(payload)
    except DecodeError:
        return
    assert well_formed(event)


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
def test_every_whole_message_decodes_to_a_well_formed_event(plugin: str) -> None:
    ready = told(plugin)
    assert all(well_formed(ready.decode(payload)) for payload in payloads(plugin))


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
def test_a_short_message_cut_anywhere_is_an_error(plugin: str) -> None:
    ready = told(plugin)
    for payload in payloads(plugin):
        for length in range(len(payload) if len(payload) < 1_000 else 0):
            with pytest.raises(DecodeError):
                ready.decode(payload[:length])


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
@given(data=st.data())
def test_any_message_cut_is_an_error(plugin: str, data: st.DataObject) -> None:
    payload = data.draw(st.sampled_from(payloads(plugin)))
    length = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(DecodeError):
        told(plugin).decode(payload[:length])


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
@given(data=st.data(), tail=st.binary(min_size=1, max_size=8).filter(lambda tail: bool(tail.strip())))
def test_a_message_with_a_tail_is_an_error(plugin: str, data: st.DataObject, tail: bytes) -> None:
    payload = data.draw(st.sampled_from(payloads(plugin)))
    with pytest.raises(DecodeError):
        told(plugin).decode(payload + tail)


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
@given(data=st.data())
def test_a_corrupted_message_raises_nothing_else(plugin: str, data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(payloads(plugin))))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    decoded_or_refused(plugin, bytes(damaged))


@given(data=st.data())
def test_rows_after_a_corrupted_description_raise_nothing_else(data: st.DataObject) -> None:
    descriptions = [payload for payload in payloads("pgoutput") if payload[:1] == b"R"]
    damaged = bytearray(data.draw(st.sampled_from(descriptions)))
    damaged[data.draw(st.integers(1, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    ready = told("pgoutput")
    for payload in (bytes(damaged), *payloads("pgoutput")):
        if payload[:1] != b"R" or payload == bytes(damaged):
            try:
                assert well_formed(ready.decode(payload))
            except DecodeError:
                continue


@pytest.mark.parametrize("plugin", ["wal2json", "pgoutput"])
@given(payload=st.binary(max_size=60))
def test_noise_raises_nothing_else(plugin: str, payload: bytes) -> None:
    decoded_or_refused(plugin, payload)


@given(data=st.data(), value=JSON)
def test_json_of_the_wrong_shape_raises_nothing_else(data: st.DataObject, value: object) -> None:
    message = orjson.loads(data.draw(st.sampled_from(payloads("wal2json"))))
    target = message
    if "columns" in message and data.draw(st.booleans()):
        target = data.draw(st.sampled_from(message["columns"]))
    target[data.draw(st.sampled_from(sorted(target)))] = value
    try:
        payload = orjson.dumps(message)
    except (TypeError, orjson.JSONEncodeError):
        return
    decoded_or_refused("wal2json", payload)


@given(value=JSON)
def test_json_that_is_no_message_is_an_error(value: object) -> None:
    try:
        payload = orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return
    with pytest.raises(DecodeError):
        Wal2jsonDecoder(WANTED, ROOTS, NOISE).decode(payload)


@given(data=st.data())
def test_a_frame_cut_in_its_header_is_an_error(data: st.DataObject) -> None:
    frame = data.draw(st.sampled_from(FRAMES))
    header = 25 if frame[:1] == b"w" else 18
    with pytest.raises(ProtocolError):
        frames.parse(frame[: data.draw(st.integers(0, header - 1))])


@given(data=st.binary(max_size=40))
def test_a_frame_of_noise_is_read_or_refused(data: bytes) -> None:
    try:
        frame = frames.parse(data)
    except ProtocolError:
        return
    assert isinstance(frame, frames.XLogData | frames.Keepalive)
