"""Changing an endpoint: what it is told of more is sent like a first sync, and only that."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from psycopg import AsyncConnection

from outbox.delivery import reaching
from outbox.delivery.outbound import Outbound
from outbox.endpoints import PATIENCE, UnknownEndpointError, alone, check_address
from outbox.settings import TYPES, EndpointError, Settings
from sql import content, control, endpoints, replay
from sql.control import Endpoint
from sql.endpoints import START
from sql.replay import Scope

_PAGE = 5_000
CHANGEABLE = (
    "url",
    "ca",
    "headers",
    "hotels",
    "types",
    "bookings",
    "guest_data",
    "max_bytes",
    "concurrency",
    "rate_per_second",
    "heartbeat_seconds",
)


class OvertakenError(EndpointError):
    """Somebody else has changed the endpoint since the caller read it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of a change. widened: what is sent for the first time; withdrawn: keys that are sent no more."""

    endpoint: Endpoint
    widened: list[Scope]
    withdrawn: int


async def change(conn: AsyncConnection, name: str, wishes: Mapping[str, Any], outbound: Outbound) -> Changed:
    """Change some of what CHANGEABLE names.

    Args:
        conn: a connection in autocommit.
        name: the endpoint's.
        wishes: the new values; headers: all of them, and needed with a url that leads to another host, unless
            there are none: theirs are secrets of the one before.
        outbound: what encrypts the headers, and says where messages may go.

    Raises:
        EndpointError: there is none of this name, it would be impossible, nothing may be sent to its new address,
            or there was no such moment.
        SecretsError: headers are given, and nothing is set that they could be encrypted with.
    """
    if "url" in wishes:
        await check_address(wishes["url"], outbound)
    begun = await alone(conn, lambda: begin(conn, name, wishes, outbound))
    return await finish(conn, begun)


@dataclass(frozen=True, slots=True)
class Begun:
    """A change that is made, but for what follows from it. replays: what is sent for the first time, by replay."""

    endpoint: Endpoint
    replays: Mapping[int, Scope]


async def begin(
    conn: AsyncConnection,
    name: str,
    wishes: Mapping[str, Any],
    outbound: Outbound,
    *,
    expected: Container[int] | None = None,
) -> Begun:
    """Change an endpoint in the caller's transaction, which must end soon: writers of documents wait for it.

    Args and raises: as `change`, but the address is not looked at; and `LockNotAvailable`, where documents are
    being written: try again; and `OvertakenError`, where its revision is not among those expected. After the commit
    `finish` is due.
    """
    await endpoints.lock(conn)
    before = await control.find(conn, name)
    if before is None:
        raise UnknownEndpointError(name)
    if expected is not None and before.revision not in expected:
        raise OvertakenError(f"{name} was changed since; look at what it is now")
    return Begun(*await _update(conn, before, wishes, outbound))


async def finish(conn: AsyncConnection, begun: Begun, *, patience: float = PATIENCE) -> Changed:
    """Count what is sent for the first time, and take out of the queue what the endpoint is told of no more.

    After the change is committed, in transactions of its own: writers of documents would wait for it otherwise.

    Raises:
        EndpointError: there was no moment when nobody writes documents.
    """
    now = begun.endpoint
    for replay_id, scope in begun.replays.items():
        await replay.set_total(conn, replay_id, replay.total(await replay.count(conn, now.id, scope)))
    return Changed(now, list(begun.replays.values()), await _withdraw(conn, now.id, patience))


async def _withdraw(conn: AsyncConnection, endpoint_id: int, patience: float) -> int:
    """Take out of the queue what an endpoint is told of no more; returns how many keys. Claims send none of it."""
    withdrawn, after = 0, START
    while True:
        last, found = await alone(conn, partial(control.withdraw, conn, endpoint_id, after, _PAGE), patience)
        withdrawn += found
        if last is None:
            return withdrawn
        after = last


async def _update(
    conn: AsyncConnection, before: Endpoint, wishes: Mapping[str, Any], outbound: Outbound
) -> tuple[Endpoint, dict[int, Scope]]:
    await control.change(conn, _sealed(before, wishes, outbound) | {"id": before.id})
    now = await control.find(conn, before.name)
    assert now is not None  # nobody else may change it here
    if before.filling or before.status == "disabled":
        return now, {}
    begun = {}
    for scope in widened(before, now, await content.hotel_ids(conn)):
        replay_id = await replay.add(conn, now.id, scope, reason="it is told of more")
        assert replay_id is not None  # its status is ours until the end
        begun[replay_id] = scope
    if _list_own(before, now):
        # It marks next to nothing, but is closed by the lists of our own: what else the engine has, it drops.
        listing = Scope(kinds=["booking"], since=datetime.now(UTC))
        await replay.add(conn, now.id, listing, reason="it is told of our own bookings only", total=0)
    return now, begun


def _list_own(before: Endpoint, now: Endpoint) -> bool:
    """Whether an engine may have bookings that it is told of no more because they are not our own."""
    narrowed = before.bookings == "all" and now.bookings == "own"
    return narrowed and all("booking" in (one.types or TYPES) for one in (before, now))


def _sealed(before: Endpoint, wishes: Mapping[str, Any], outbound: Outbound) -> dict[str, Any]:
    """What is stored once these wishes have come true; headers that stay are not even read."""
    values = {field: getattr(before, field) for field in CHANGEABLE} | {
        "headers": dict.fromkeys(before.headers, "kept")
    }
    checked = Settings(name=before.name, format=before.format, **values | dict(wishes))
    if before.headers and "headers" not in wishes and reaching.place(checked.url) != reaching.place(before.url):
        raise EndpointError(
            f"the values of its headers ({', '.join(sorted(before.headers))}) are secrets of where it was, and the"
            " new url leads elsewhere; give all headers anew, or say that there are none"
        )
    headers = checked.seal(outbound.secrets)["headers"] if "headers" in wishes else before.headers
    settled = {"types": checked.told, "concurrency": checked.lanes, "headers": headers}
    return {field: getattr(checked, field) for field in CHANGEABLE} | settled


def widened(before: Endpoint, now: Endpoint, hotels: frozenset[int]) -> list[Scope]:
    """What an endpoint is told of now and was not before. hotels: all that there are."""
    old_hotels = hotels if before.hotels is None else frozenset(before.hotels)
    new_hotels = hotels if now.hotels is None else frozenset(now.hotels)
    kinds = set(now.types or TYPES) - set(before.types or TYPES)
    if (now.bookings == "all" and before.bookings == "own") or (now.guest_data and not before.guest_data):
        kinds |= {"booking"} & set(now.types or TYPES)
    scopes = []
    if added := new_hotels - old_hotels:
        scopes.append(Scope(hotels=sorted(added)))
    if kinds and (kept := new_hotels & old_hotels):
        scopes.append(Scope(hotels=sorted(kept), kinds=[kind for kind in TYPES if kind in kinds]))
    return scopes
