"""Endpoints: adding, enabling, disabling and removing the places that messages go to."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable

from outbox.delivery import reaching
from outbox.delivery.addresses import RefusedAddressError
from outbox.delivery.outbound import Outbound
from outbox.settings import EndpointError, Settings, check_url
from sql import control, endpoints
from sql.endpoints import Overview

T = TypeVar("T")
_PAGE = 5_000
_EVERYTHING = 2**63 - 1
_LOOK_UP = 3.0
PATIENCE = 60.0
"""Seconds to wait for a moment when nobody writes documents."""


class UnknownEndpointError(EndpointError):
    """There is no endpoint of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no endpoint named {name!r}; `roomwire endpoint list` shows them")


class BusyError(EndpointError):
    """Documents were being written all the time, and their writers go first."""


async def add(conn: AsyncConnection, settings: Settings, outbound: Outbound) -> int:
    """Add an endpoint; its first sync begins within a second where deliveries run. Returns its id.

    Waits up to PATIENCE seconds for a moment when nobody writes documents.

    Raises:
        EndpointError: the name is taken, nothing may be sent to its address, or there was no such moment.
        SecretsError: nothing is set that its secret could be encrypted with.
    """
    await check_address(settings.url, outbound)
    return await alone(conn, lambda: insert(conn, settings, outbound))


async def insert(conn: AsyncConnection, settings: Settings, outbound: Outbound) -> int:
    """Add an endpoint in the caller's transaction, which must end soon: writers of documents wait for it.

    Raises:
        EndpointError: the name is taken.
        SecretsError: nothing is set that its secret could be encrypted with.
        psycopg.errors.LockNotAvailable: documents are being written; try again.
    """
    sealed = settings.seal(outbound.secrets)
    await endpoints.lock(conn)
    # Looked up, and not left to the unique index: its refusal would end the caller's transaction. The lock keeps
    # everybody else from adding one meanwhile.
    if await control.find(conn, settings.name):
        raise EndpointError(f"there is an endpoint named {settings.name!r}; remove it, or take another name")
    try:
        return await endpoints.add(conn, sealed)
    except psycopg.IntegrityError as error:
        # Its detail would show the row, and with it the secret.
        raise EndpointError(f"the database refuses this endpoint: {error.diag.message_primary}") from None


async def check_address(url: str, outbound: Outbound) -> None:
    """Look whether messages may go where a URL leads now. A name that is not known yet, or late, is not looked at.

    Raises:
        EndpointError: it is no url, or nothing may be sent there; the message says how to allow it.
    """
    check_url(url)
    try:
        async with asyncio.timeout(_LOOK_UP):
            await reaching.find(url, outbound)
    except RefusedAddressError as error:
        raise EndpointError(str(error)) from None
    except OSError:
        return


async def enable(conn: AsyncConnection, name: str) -> None:
    """Enable an endpoint, also one that is enabled: either way it gets a first sync.

    Raises:
        EndpointError: there is none of this name, or no moment within PATIENCE seconds when nobody writes
            documents.
    """
    await alone(conn, lambda: reset(conn, name))


async def reset(conn: AsyncConnection, name: str) -> None:
    """Enable an endpoint in the caller's transaction, which must end soon: writers of documents wait for it.

    Raises:
        EndpointError: there is none of this name.
        psycopg.errors.LockNotAvailable: documents are being written; try again.
    """
    await endpoints.lock(conn)
    _found(await endpoints.enable(conn, name), name)


async def disable(conn: AsyncConnection, name: str, reason: str = "disabled by its operator") -> None:
    """Send nothing more to an endpoint. What it misses is not noted: enabling it is a first sync.

    Raises:
        EndpointError: there is none of this name.
    """
    _found(await endpoints.disable(conn, name, reason), name)


async def remove(conn: AsyncConnection, name: str) -> None:
    """Remove an endpoint and all that it was behind on.

    Raises:
        EndpointError: there is none of this name.
    """
    await endpoints.remove(conn, await empty(conn, name))


async def empty(conn: AsyncConnection, name: str) -> int:
    """Disable an endpoint that is to be removed, and forget what it was behind on; its id.

    In transactions of its own: what it was behind on may be a million keys.

    Raises:
        EndpointError: there is none of this name.
    """
    endpoint_id = _found(await endpoints.disable(conn, name, "being removed"), name)
    while await endpoints.clear(conn, endpoint_id, _EVERYTHING, _PAGE) == _PAGE:
        pass
    return endpoint_id


async def overview(conn: AsyncConnection, name: str | None = None, *, counted: bool = True) -> list[Overview]:
    """All endpoints by name, or the one of this name; without their secrets.

    counted: with what they are behind on.
    """
    return await endpoints.overview(conn, name, counted=counted)


async def told(conn: AsyncConnection) -> Mapping[str, list[int] | None]:
    """Name → the hotels that the endpoint is told of, None for all."""
    return await endpoints.told(conn)


async def alone(conn: AsyncConnection, change: Callable[[], Awaitable[T]], patience: float = PATIENCE) -> T:
    """Run a change that needs the list of endpoints to itself, in a transaction, as often as it takes.

    Each try waits no longer than the session's lock_timeout, since writers of documents queue behind it.
    """
    deadline = monotonic() + patience
    while True:
        try:
            async with conn.transaction():
                return await change()
        except LockNotAvailable:
            if monotonic() > deadline:
                raise BusyError(
                    f"documents were being written without a pause for {patience:.0f} s; try again later"
                ) from None
        await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - lets the writers through


def _found(endpoint_id: int | None, name: str) -> int:
    if endpoint_id is None:
        raise UnknownEndpointError(name)
    return endpoint_id
