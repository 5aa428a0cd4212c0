"""The command START_REPLICATION and the options of each output plugin. Pure.

The replication grammar is not SQL's: names in double quotes, values in single ones, each doubled inside, and a
backslash means nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from daemon.replication.lsn import format_lsn

_WAL2JSON_SPECIAL = frozenset("\\',.* \t\n\r\f\v")


def start_command(slot: str, lsn: int, options: Mapping[str, str]) -> str:
    """Write START_REPLICATION for a logical slot.

    Raises:
        ValueError: a name or value holds a zero byte.
    """
    listed = ", ".join(f"{_identifier(name)} {_literal(value)}" for name, value in options.items())
    return f"START_REPLICATION SLOT {_identifier(slot)} LOGICAL {format_lsn(lsn)} ({listed})"


def pgoutput_options(publications: Sequence[str]) -> dict[str, str]:
    """Options for pgoutput: these publications, and logical messages of everybody."""
    names = ",".join(_identifier(name) for name in publications)
    return {"proto_version": "1", "publication_names": names, "messages": "true"}


def wal2json_options(noise: Iterable[tuple[str, str]], prefix: str) -> dict[str, str]:
    """Options for wal2json.

    Types are left out and numbers come as JSON numbers, which the decoder reads exactly: the option that makes
    strings of them is unknown to wal2json before 2.6.

    Args:
        noise: (schema, table) of relations that the server may leave out; `*` stands for all names. Never
            a list that something wanted could be on.
        prefix: of the logical messages wanted. Others are left out, because one with binary content would not
            be JSON.

    Raises:
        ValueError: the prefix holds what wal2json cannot have in a list.
    """
    if not prefix or any(character == "," or character.isspace() for character in prefix):
        raise ValueError(f"wal2json cannot select messages by the prefix {prefix!r}")
    options = {
        "format-version": "2",
        "include-lsn": "true",
        "include-xids": "true",
        "include-timestamp": "true",
        "include-transaction": "true",
        "include-types": "false",
        "actions": "insert,update,delete,truncate",
        "add-msg-prefixes": prefix,
    }
    filtered = ",".join(f"{_pattern(schema)}.{_pattern(table)}" for schema, table in noise)
    return options | ({"filter-tables": filtered} if filtered else {})


def _pattern(name: str) -> str:
    return name if name == "*" else _escaped(name)


def _escaped(name: str) -> str:
    """Escape a name for a wal2json list, in which these characters separate, quote or stand for all."""
    return "".join(f"\\{character}" if character in _WAL2JSON_SPECIAL else character for character in name)


def _identifier(text: str) -> str:
    return _quoted(text, '"')


def _literal(text: str) -> str:
    return _quoted(text, "'")


def _quoted(text: str, quote: str) -> str:
    if "\0" in text:
        raise ValueError("a zero byte cannot be sent to PostgreSQL")
    return quote + text.replace(quote, quote * 2) + quote
