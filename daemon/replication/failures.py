"""From what PostgreSQL says to what it means for replication. Pure.

Told apart by SQLSTATE, never by text: the server speaks its operator's language. Only the first line of its
message is kept, for details may quote rows.
"""

import psycopg
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult

from daemon.replication import errors

_OURS: dict[str, type[errors.ReplicationError]] = {
    "28000": errors.NotPermittedError,
    "28P01": errors.NotPermittedError,
    "42501": errors.NotPermittedError,
    "42704": errors.SlotMissingError,
    "53300": errors.NoFreeSlotError,
    "53400": errors.NoFreeSlotError,
    "55006": errors.SlotActiveError,
    "57014": errors.SlotWaitingError,
    "58P01": errors.PluginMissingError,
}
_GONE = ("08", "57P")


def command_failed(error: psycopg.Error) -> errors.ReplicationError:
    """Explain why a command about slots, or START_REPLICATION, failed."""
    state = error.sqlstate or ""
    if not state or state.startswith(_GONE):
        return errors.ConnectionLostError(_first_line(str(error)))
    return _OURS.get(state, errors.DecodingFailedError)(_first_line(str(error)))


def connecting_failed(error: psycopg.Error) -> errors.ReplicationError:
    """Explain why no connection came about. libpq gives no SQLSTATE here, so all look alike."""
    return errors.ConnectionLostError(" ".join(str(error).split()))


def stream_failed(result: PGresult | None) -> errors.ReplicationError:
    """Explain the result with which the server ended the stream."""
    state = _field(result, DiagnosticField.SQLSTATE)
    message = _field(result, DiagnosticField.MESSAGE_PRIMARY)
    if not state:
        return errors.ConnectionLostError("The server ended the stream")
    if state.startswith(_GONE):
        return errors.ConnectionLostError(message)
    if state == "42704":
        return errors.PublicationMissingError(message)
    return errors.DecodingFailedError(message)


def _field(result: PGresult | None, field: DiagnosticField) -> str:
    value = None if result is None else result.error_field(field)
    return "" if value is None else value.decode("utf-8", "replace")


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
