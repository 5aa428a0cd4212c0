"""Decoder of the output plugin `wal2json`, format version 2: one JSON object per message.

wal2json knows no partitioned roots: it names leaves. Which root a leaf belongs to is told by the caller, in
a mapping that may grow while the stream runs. A row of a leaf that is not in it is still reported, under
the leaf's name, so that the caller can learn what it is.

wal2json prints NaN and infinite numbers as null, and bytea bare of its prefix, and a JSON reader takes -0 for
0: columns that may hold them are not to be wanted.
"""

import json
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any, Final

import orjson

from daemon.replication.changes import (
    IGNORED,
    Action,
    Begin,
    Commit,
    Event,
    Message,
    Row,
    Truncate,
    Values,
)
from daemon.replication.errors import DecodeError
from daemon.replication.lsn import parse_lsn

Relation = tuple[str, str]
"""Schema and table."""

Json = dict[str, Any]

Places = list[tuple[int, str]]
"""Where wanted columns stand in a row, with their names."""

_ROWS: Final[dict[str, Action]] = {"I": "insert", "U": "update", "D": "delete"}
_UNKNOWN: Final = frozenset({"hotel_id", "id"})
_NONE: Final[Values] = {}
_WHERE = "wal2json message"
_MAX_XID: Final = 2**32 - 1


class _InexactError(Exception):
    """A wanted value is a number that Python's float may not hold as PostgreSQL printed it."""


class Wal2jsonDecoder:
    """Decodes messages; it remembers nothing between them.

    Args:
        wanted: root table → columns.
        roots: (schema, leaf) → root table. The caller adds to it what it learns.
        noise: relations that are known to concern nobody.
        schema: where the wanted roots are.
    """

    def __init__(
        self,
        wanted: Mapping[str, frozenset[str]],
        roots: Mapping[Relation, str],
        noise: Set[Relation] = frozenset(),
        *,
        schema: str = "public",
    ) -> None:
        self._wanted = wanted
        self._roots = roots
        self._noise = noise
        self._schema = schema
        self._places: dict[tuple[frozenset[str], int], Places] = {}

    def decode(self, payload: bytes) -> Event:
        """Decode one message.

        Raises:
            DecodeError: the message is malformed, cut, or of an unknown kind.
        """
        try:
            message: Json = orjson.loads(payload)
            action = message["action"]
            if action in _ROWS:
                try:
                    return self._row(message, _ROWS[action])
                except _InexactError:
                    return self._row(json.loads(payload, parse_float=str), _ROWS[action])
            return self._other(message, action)
        except KeyError as error:
            raise DecodeError(f"{error} is missing", where=_WHERE) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise DecodeError("not the JSON it should be", where=_WHERE) from error

    def _row(self, message: Json, action: Action) -> Event:
        schema, leaf = message["schema"], message["table"]
        found = self._find(schema, leaf)
        if found is None:
            return IGNORED
        table, columns = found
        if action == "delete":
            known = _values(message["identity"], columns)
            return Row(action, schema, table, {k: v for k, v in known.items() if v is not None}, _NONE)
        values = self._new_values(message["columns"], columns)
        old = _changed(message, columns, values) if action == "update" else _NONE
        return Row(action, schema, table, values, old)

    def _new_values(self, columns: list[Json], wanted: frozenset[str]) -> Values:
        """The wanted values, taken from where they stood in the last such row, if they all still do."""
        kind = (wanted, len(columns))
        values: Values = {}
        for place, name in self._places.get(kind, ()):
            column = columns[place]
            if column["name"] != name:
                break
            value = column["value"]
            values[name] = value if value.__class__ is str or value is None else _printed(value)
        if len(values) == len(wanted):
            return values
        self._places[kind] = [(place, c["name"]) for place, c in enumerate(columns) if c["name"] in wanted]
        return _values(columns, wanted)

    def _other(self, message: Json, action: str) -> Event:
        if action == "B":
            return Begin(_integer(message["xid"], _MAX_XID), _seconds(message["timestamp"]))
        if action == "C":
            commit, end = parse_lsn(message["lsn"]), parse_lsn(message["nextlsn"])
            return Commit(commit, end, _seconds(message["timestamp"]))
        if action == "T":
            schema, leaf = message["schema"], message["table"]
            found = self._find(schema, leaf)
            return IGNORED if found is None else Truncate(((schema, found[0]),))
        if action == "M":
            transactional = message["transactional"]
            if not isinstance(transactional, bool):
                raise TypeError
            content = message["content"].encode()
            return Message(_string(message["prefix"]), content, transactional, parse_lsn(message["lsn"]))
        raise DecodeError("unknown kind of message", where=_WHERE)

    def _find(self, schema: str, leaf: str) -> tuple[str, frozenset[str]] | None:
        """Name the table to report and its wanted columns; None when the relation concerns nobody."""
        relation = (schema, leaf)
        root = self._roots.get(relation)
        if root is None:
            if relation in self._noise:
                return None
            if leaf in self._wanted and schema == self._schema:
                root = leaf
            else:
                _string(schema)
                return _string(leaf), _UNKNOWN
        columns = self._wanted.get(root)
        return None if columns is None else (root, columns)


def _values(columns: list[Json], wanted: frozenset[str]) -> Values:
    values: Values = {}
    for column in columns:
        name = column["name"]
        if name in wanted:
            value = column["value"]
            values[name] = value if value.__class__ is str or value is None else _printed(value)
    return values


def _changed(message: Json, wanted: frozenset[str], values: Values) -> Values:
    if "identity" not in message:
        return _NONE
    old = _values(message["identity"], wanted)
    return {
        name: value for name, value in old.items() if value is not None and name in values and values[name] != value
    }


def _printed(value: object) -> str:
    """Give a JSON value that is no string as PostgreSQL prints it."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise _InexactError
    raise TypeError


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _integer(value: object, most: int) -> int:
    if isinstance(value, int) and 0 <= value <= most:
        return value
    raise TypeError


def _seconds(timestamp: str) -> float:
    moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.timestamp()
