"""Positions in the write-ahead log (LSN): integers here, hexadecimal `X/Y` where PostgreSQL reads them."""

import re

from daemon.replication.errors import DecodeError

_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})", re.ASCII)


def parse_lsn(text: str) -> int:
    """Read PostgreSQL's notation: `0/158F400` is 22606848.

    Raises:
        DecodeError: the text is not an LSN.
    """
    parts = _LSN.fullmatch(text)
    if parts is None:
        raise DecodeError("not a position in the log", where="LSN")
    return int(parts[1], 16) << 32 | int(parts[2], 16)


def format_lsn(lsn: int) -> str:
    """Write an LSN as PostgreSQL does: 22606848 is `0/158F400`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
