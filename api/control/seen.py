"""What an administrator's key may see: every endpoint, or those that are told of the key's own hotels only."""

from collections.abc import Collection
from dataclasses import replace

from psycopg import AsyncConnection

from api.access.scopes import Access
from api.request.problems import Problem
from outbox import endpoints
from outbox.endpoints import BusyError, UnknownEndpointError
from sql.endpoints import Overview

_COUNTED = ("behind", "rejected", "oldest")


def admin(access: Access) -> Access:
    """The caller, who may administrate.

    Raises:
        Problem: it is a token for one user.
    """
    if access.user_id is not None:
        raise Problem("insufficient_scope", "A token for one user administrates nothing.", scope="admin")
    return access


def visible(access: Access, hotels: Collection[int] | None) -> bool:
    """Whether an endpoint that is told of these hotels, None for all, is the caller's to know."""
    return access.hotels is None or (hotels is not None and access.hotels.issuperset(hotels))


async def overviews(conn: AsyncConnection, access: Access) -> list[Overview]:
    """The endpoints that the caller may see, by name."""
    return [row for row in await endpoints.overview(conn) if visible(admin(access), row.hotels)]


async def names(conn: AsyncConnection, access: Access) -> set[str]:
    """Of the endpoints that the caller may see; nothing is counted for it."""
    told = await endpoints.told(conn)
    return {name for name, hotels in told.items() if visible(admin(access), hotels)}


async def check(conn: AsyncConnection, access: Access, name: str) -> None:
    """Make sure that an endpoint is the caller's to see.

    Raises:
        Problem: `unknown_endpoint`; those that are others' are answered like those that do not exist.
    """
    if name not in await names(conn, access):
        raise Problem("unknown_endpoint")


async def overview(conn: AsyncConnection, access: Access, name: str, *, before: Overview | None = None) -> Overview:
    """One endpoint.

    before: as it was just now; what it was behind on then is not counted anew while others wait for the caller.

    Raises:
        Problem: `unknown_endpoint`; those that are others' are answered like those that do not exist.
    """
    for row in await endpoints.overview(conn, name, counted=before is None):
        if visible(admin(access), row.hotels):
            return replace(row, **{field: getattr(before, field) for field in _COUNTED}) if before else row
    raise Problem("unknown_endpoint")


def refused(error: Exception) -> Problem:
    """What an endpoint's refusal is over HTTP."""
    if isinstance(error, BusyError):
        return Problem("unavailable", headers={"Retry-After": "2"})
    if isinstance(error, UnknownEndpointError):
        return Problem("unknown_endpoint")
    text = str(error)
    return Problem("endpoint_refused", f"{text[:1].upper()}{text[1:]}.")
