"""Decoder of PostgreSQL's own output plugin, `pgoutput`, protocol version 1, text values.

The formats are those of PostgreSQL's documentation, "Logical Replication Message Formats". Selective: a
value that nobody asked for is stepped over without being decoded, but its length is still checked, so that
a cut message is never mistaken for a whole one.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from struct import error as struct_error
from typing import Final, NamedTuple

from daemon.replication.changes import IGNORED, Begin, Commit, Event, Message, Row, Truncate, Values
from daemon.replication.errors import DecodeError
from daemon.replication.frames import unix_seconds

_U32 = Struct(">I").unpack_from
_BEGIN = Struct(">xQqI")
_COMMIT = Struct(">xBQQq")
_MESSAGE = Struct(">xBQ")
_TRUNCATE = Struct(">xIB")

_INSERT, _UPDATE, _DELETE = b"IUD"
_NEW, _KEY, _OLD = b"NKO"
_TEXT, _NULL, _UNCHANGED = b"tnu"
_NONE: Final[Values] = {}

Plan = tuple[str | None, ...]
"""For each column of a relation its name, or None where nobody wants it."""


class _Relation(NamedTuple):
    """What a relation message announced, as far as decoding needs it."""

    schema: str
    table: str
    columns: Plan
    keys: Plan
    wanted: bool


class PgoutputDecoder:
    """Decodes the messages of one connection, in their order.

    It remembers the relations that were announced, so every new connection needs a new decoder.

    Args:
        wanted: table → columns. Tables are named as the publication names them: with
            publish_via_partition_root, the partitioned root.
    """

    def __init__(self, wanted: Mapping[str, frozenset[str]]) -> None:
        self._wanted = wanted
        self._relations: dict[int, _Relation] = {}
        self._others: dict[int, Callable[[bytes], Event]] = {
            ord("B"): _begin,
            ord("C"): _commit,
            ord("M"): _message,
            ord("R"): self._relation,
            ord("T"): self._truncate,
            ord("O"): _origin,
            ord("Y"): _type,
        }

    def decode(self, payload: bytes) -> Event:
        """Decode one message.

        Raises:
            DecodeError: the message is malformed, cut, of an unknown kind, or names a relation that was
                never announced. The decoder is of no use afterwards: reconnect.
        """
        kind = payload[0] if payload else 0
        try:
            if kind == _INSERT:
                return self._insert(payload)
            if kind == _UPDATE:
                return self._update(payload)
            if kind == _DELETE:
                return self._delete(payload)
            if kind in self._others:
                return self._others[kind](payload)
        except (IndexError, struct_error) as error:
            raise DecodeError(f"message of {len(payload)} bytes is cut", where=_name(kind)) from error
        except UnicodeDecodeError as error:
            raise DecodeError("text is not UTF-8", where=_name(kind)) from error
        raise DecodeError("unknown kind of message", where=_name(kind), offset=0)

    def _insert(self, payload: bytes) -> Event:
        relation = self._announced(payload)
        if payload[5] != _NEW:
            raise DecodeError("new row expected", where="insert", offset=5)
        values, end = _tuple(payload, 6, relation.columns)
        _finish(payload, end)
        if not relation.wanted:
            return IGNORED
        return Row("insert", relation.schema, relation.table, values, _NONE)

    def _update(self, payload: bytes) -> Event:
        relation = self._announced(payload)
        part = payload[5]
        if part == _NEW:
            values, end = _tuple(payload, 6, relation.columns)
            old = _NONE
        elif part in (_KEY, _OLD):
            old, start = _tuple(payload, 6, relation.keys if part == _KEY else relation.columns)
            if payload[start] != _NEW:
                raise DecodeError("new row expected", where="update", offset=start)
            values, end = _tuple(payload, start + 1, relation.columns)
            old = _changed(old, values)
        else:
            raise DecodeError("unknown part of a row", where="update", offset=5)
        _finish(payload, end)
        if not relation.wanted:
            return IGNORED
        return Row("update", relation.schema, relation.table, values, old)

    def _delete(self, payload: bytes) -> Event:
        relation = self._announced(payload)
        part = payload[5]
        if part not in (_KEY, _OLD):
            raise DecodeError("old row expected", where="delete", offset=5)
        old, end = _tuple(payload, 6, relation.keys if part == _KEY else relation.columns)
        _finish(payload, end)
        if not relation.wanted:
            return IGNORED
        return Row("delete", relation.schema, relation.table, _known(old), _NONE)

    def _announced(self, payload: bytes) -> _Relation:
        (relation_id,) = _U32(payload, 1)
        relation = self._relations.get(relation_id)
        if relation is None:
            raise DecodeError("relation was never announced", where=_name(payload[0]), offset=1)
        return relation

    def _relation(self, payload: bytes) -> Event:
        (relation_id,) = _U32(payload, 1)
        schema, at = _string(payload, 5)
        table, at = _string(payload, at)
        count = payload[at + 1] << 8 | payload[at + 2]
        at += 3
        wanted = self._wanted.get(table, frozenset())
        columns: list[str | None] = []
        keys: list[str | None] = []
        for _ in range(count):
            is_key = payload[at] & 1
            name, at = _string(payload, at + 1)
            at += 8
            columns.append(name if name in wanted else None)
            keys.append(name if name in wanted and is_key else None)
        _finish(payload, at)
        self._relations[relation_id] = _Relation(schema, table, tuple(columns), tuple(keys), table in self._wanted)
        return IGNORED

    def _truncate(self, payload: bytes) -> Event:
        count, _options = _TRUNCATE.unpack_from(payload)
        _finish(payload, _TRUNCATE.size + 4 * count)
        tables = []
        for at in range(_TRUNCATE.size, len(payload), 4):
            (relation_id,) = _U32(payload, at)
            if relation_id not in self._relations:
                raise DecodeError("relation was never announced", where="truncate", offset=at)
            relation = self._relations[relation_id]
            if relation.wanted:
                tables.append((relation.schema, relation.table))
        return Truncate(tuple(tables)) if tables else IGNORED


def _tuple(payload: bytes, at: int, columns: Plan) -> tuple[Values, int]:
    """Read a row that starts at `at`: the wanted values, and where it ends."""
    if payload[at] << 8 | payload[at + 1] != len(columns):
        raise DecodeError("row has not the announced number of columns", where="row", offset=at)
    at += 2
    values: Values = {}
    for name in columns:
        kind = payload[at]
        if kind == _TEXT:
            at += 5
            end = at + _U32(payload, at - 4)[0]
            if name is not None:
                values[name] = payload[at:end].decode()
            at = end
        elif kind == _NULL:
            if name is not None:
                values[name] = None
            at += 1
        elif kind == _UNCHANGED:
            at += 1
        else:
            raise DecodeError("unknown kind of value", where="row", offset=at)
    return values, at


def _known(old: Values) -> Values:
    # A leaf's DEFAULT identity below a root with FULL is sent as a whole old row in which everything but
    # the key is NULL: such a NULL says nothing.
    return {name: value for name, value in old.items() if value is not None}


def _changed(old: Values, values: Values) -> Values:
    return {
        name: value for name, value in old.items() if value is not None and name in values and values[name] != value
    }


def _begin(payload: bytes) -> Begin:
    _finish(payload, _BEGIN.size)
    _lsn, micros, xid = _BEGIN.unpack(payload)
    return Begin(xid, unix_seconds(micros))


def _commit(payload: bytes) -> Commit:
    _finish(payload, _COMMIT.size)
    _flags, commit_lsn, end_lsn, micros = _COMMIT.unpack(payload)
    return Commit(commit_lsn, end_lsn, unix_seconds(micros))


def _message(payload: bytes) -> Message:
    flags, lsn = _MESSAGE.unpack_from(payload)
    prefix, at = _string(payload, _MESSAGE.size)
    (length,) = _U32(payload, at)
    _finish(payload, at + 4 + length)
    return Message(prefix, payload[at + 4 :], flags & 1 == 1, lsn)


def _origin(payload: bytes) -> Event:
    _name_of_origin, end = _string(payload, 9)
    _finish(payload, end)
    return IGNORED


def _type(payload: bytes) -> Event:
    _schema, at = _string(payload, 5)
    _type_name, at = _string(payload, at)
    _finish(payload, at)
    return IGNORED


def _string(payload: bytes, at: int) -> tuple[str, int]:
    """Read a string that ends with a zero byte: its text, and what follows it."""
    end = payload.find(0, at)
    if end < 0:
        raise DecodeError("string has no end", where=_name(payload[0]), offset=at)
    return payload[at:end].decode(), end + 1


def _finish(payload: bytes, end: int) -> None:
    if end != len(payload):
        what = f"message has {len(payload)} bytes, its content says {end}"
        raise DecodeError(what, where=_name(payload[0]))


def _name(kind: int) -> str:
    return f"pgoutput message {chr(kind)!r}"
