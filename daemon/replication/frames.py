"""The frames inside a replication connection's COPY stream, as PostgreSQL's protocol documents them.

Pure: bytes in, values out. Times on the wire count microseconds from 2000-01-01 UTC; here they are Unix
seconds.
"""

from struct import Struct
from typing import Final, NamedTuple

from daemon.replication.errors import ProtocolError

EPOCH_US: Final = 946_684_800_000_000
"""PostgreSQL's epoch, 2000-01-01 UTC, in Unix microseconds."""

KEEPALIVE: Final = ord("k")
XLOG_DATA: Final = ord("w")
STATUS: Final = ord("r")

_XLOG_DATA = Struct(">xQQq")
_KEEPALIVE = Struct(">xQqB")
_STATUS = Struct(">BQQQqB")
_HEADER: Final = _XLOG_DATA.size
_MAX_LSN: Final = 2**64 - 1


class XLogData(NamedTuple):
    """A message of the output plugin.

    Attributes:
        start: LSN that the message belongs to: a commit's end, a row's own record.
        wal_end: how far the server has read, LSN.
        send_time: when the server sent it, Unix seconds by its clock.
        payload: the plugin's message.
    """

    start: int
    wal_end: int
    send_time: float
    payload: bytes


class Keepalive(NamedTuple):
    """The server is alive.

    Attributes:
        wal_end: how far the server has sent, LSN: with nothing in flight, a position that may be confirmed.
        send_time: when it was sent, Unix seconds by the server's clock.
        reply_requested: the server wants a status at once.
    """

    wal_end: int
    send_time: float
    reply_requested: bool


Frame = XLogData | Keepalive


def payload(data: bytes) -> bytes | None:
    """The output plugin's message in a frame, None for any other frame: all that is asked of most, at little cost.

    Raises:
        ProtocolError: the frame is cut.
    """
    if not data or data[0] != XLOG_DATA:
        return None
    if len(data) < _HEADER:
        raise ProtocolError(f"A frame of kind 'w' has {len(data)} bytes")
    return data[_HEADER:]


def parse(data: bytes) -> Frame:
    """Read one frame.

    Raises:
        ProtocolError: the frame is cut, or of a kind that is not known.
    """
    kind = data[0] if data else None
    if kind == XLOG_DATA and len(data) >= _HEADER:
        start, wal_end, sent = _XLOG_DATA.unpack_from(data)
        return XLogData(start, wal_end, unix_seconds(sent), data[_HEADER:])
    if kind == KEEPALIVE and len(data) == _KEEPALIVE.size:
        wal_end, sent, reply = _KEEPALIVE.unpack(data)
        return Keepalive(wal_end, unix_seconds(sent), reply != 0)
    if kind in (XLOG_DATA, KEEPALIVE):
        raise ProtocolError(f"A frame of kind {chr(data[0])!r} has {len(data)} bytes")
    raise ProtocolError(f"A frame of {len(data)} bytes has the unknown kind {data[:1]!r}")


def status(written: int, flushed: int, applied: int, now: float, *, reply: bool = False) -> bytes:
    """Write a standby status update.

    Args:
        written: LSN received so far.
        flushed: LSN that is durable here, the only one that counts for a slot: what is older is discarded.
        applied: LSN that is applied here.
        now: Unix seconds.
        reply: ask the server for a keepalive at once.

    Raises:
        ValueError: a position is not an LSN.
    """
    if not all(0 <= lsn <= _MAX_LSN for lsn in (written, flushed, applied)):
        raise ValueError("a position is not a 64-bit LSN")
    micros = round(now * 1_000_000) - EPOCH_US
    return _STATUS.pack(STATUS, written, flushed, applied, micros, reply)


def unix_seconds(micros: int) -> float:
    """Turn the wire's microseconds since 2000-01-01 UTC into Unix seconds."""
    return (micros + EPOCH_US) / 1_000_000
