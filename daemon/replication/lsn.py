"""Positions in the write-ahead log (LSN): integers here, hexadecimal `X/Y` where PostgreSQL reads them."""

from daemon.replication.errors import DecodeError


def parse_lsn(text: str) -> int:
    """Read PostgreSQL's notation, such as `0/158F400`.

    Raises:
        DecodeError: the text is not an LSN.
    """
    try:
        high, low = text.split("/")
        if not 1 <= len(high) <= 8 or not 1 <= len(low) <= 8:
            raise DecodeError("not an LSN", where="LSN")
        return (int(high, 16) << 32) | int(low, 16)
    except (ValueError, AttributeError) as error:
        raise DecodeError("not an LSN", where="LSN") from error


def format_lsn(lsn: int) -> str:
    """Write an LSN as PostgreSQL does: 22607872 becomes `0/158F400`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
