"""Replays: an endpoint is sent again what it was sent before, by the road that all messages take.

A replay is a durable job. Deliveries mark its documents in pages (`outbox.delivery.replaying`); what is then sent
is the newest of each, once, whatever it was before.
"""

from collections.abc import Mapping
from datetime import datetime

from psycopg import AsyncConnection

from outbox.endpoints import UnknownEndpointError, alone
from outbox.settings import TYPES, EndpointError
from sql import control, endpoints, replay
from sql.control import Endpoint
from sql.replay import Replay, Scope


def scope(hotels: list[int] | None, kinds: list[str] | None, since: datetime | None) -> Scope:
    """What to send again; None or nothing for all.

    Raises:
        EndpointError: there is no such kind, or the time has no zone.
    """
    if unknown := set(kinds or ()) - set(TYPES):
        raise EndpointError(f"there is no kind {', '.join(sorted(unknown))}; the kinds are {', '.join(TYPES)}")
    if since is not None and since.tzinfo is None:
        raise EndpointError("a time needs its zone, such as 2026-11-23T14:00:00+09:00")
    return Scope(sorted(set(hotels)) if hotels else None, list(dict.fromkeys(kinds)) if kinds else None, since)


async def count(conn: AsyncConnection, name: str, wanted: Scope) -> Mapping[str, int]:
    """Kind → how many documents a replay would send now, each counted to `sql.replay.MOST_COUNTED`.

    Raises:
        EndpointError: there is no such endpoint, or it needs no replay.
    """
    return await replay.count(conn, (await _usable(conn, name)).id, wanted)


async def start(conn: AsyncConnection, name: str, wanted: Scope, *, reason: str) -> Replay:
    """Note a replay: it begins within a second where deliveries run.

    Raises:
        EndpointError: there is no such endpoint, it needs no replay, or for PATIENCE seconds there was no moment
            when nobody wrote documents.
    """
    return await alone(conn, lambda: note(conn, name, wanted, reason))


async def note(conn: AsyncConnection, name: str, wanted: Scope, reason: str) -> Replay:
    """Note a replay in the caller's transaction, which must end soon: writers of documents wait for it.

    Raises:
        EndpointError: there is no such endpoint, or it needs no replay.
        psycopg.errors.LockNotAvailable: documents are being written; try again.
    """
    found = await _usable(conn, name)
    total = replay.total(await replay.count(conn, found.id, wanted))
    await endpoints.lock(conn)
    made = await replay.add(conn, found.id, wanted, reason=reason, total=total)
    if made is None:
        raise EndpointError(f"{name} is disabled, or about to be sent everything")
    (row,) = await replay.replays(conn, replay_id=made)
    return row


async def _usable(conn: AsyncConnection, name: str) -> Endpoint:
    found = await control.find(conn, name)
    if found is None:
        raise UnknownEndpointError(name)
    if found.status == "disabled":
        raise EndpointError(f"{name} is disabled; enabling it sends everything again")
    if found.filling:
        raise EndpointError(f"{name} is about to be sent everything: its first sync is due")
    return found
