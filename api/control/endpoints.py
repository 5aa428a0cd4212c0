"""Endpoints over HTTP: add, read, change, remove."""

from collections.abc import Sequence
from typing import Any

from api.control import seen
from api.control.endpoint_models import (
    EndpointAnswer,
    EndpointAsked,
    EndpointChanged,
    EndpointMade,
    EndpointPath,
    EndpointsAnswer,
)
from api.problems import Fault, Problem
from api.routing import Call, Nothing, Reply
from outbox import changing, endpoints, signing
from outbox.endpoints import EndpointError, Settings
from outbox.secrets import SecretsError
from sql.endpoints import Overview

PATIENCE = 4.0
"""Seconds that a request waits for a moment when nobody writes documents."""


async def list_endpoints(call: Call[Nothing, Nothing]) -> Reply:
    """The endpoints that the key knows."""
    async with call.house.connection() as conn:
        rows = await seen.overviews(conn, call.access)
    return Reply(EndpointsAnswer(endpoints=[answer(row) for row in rows]))


async def read_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """One endpoint."""
    async with call.house.connection() as conn:
        return Reply(answer(await seen.overview(conn, call.access, call.params.name)))


async def add_endpoint(call: Call[Nothing, EndpointAsked]) -> Reply:
    """Add an endpoint."""
    wanted = call.body
    await check_wishes(call, wanted.hotels, guest_data=wanted.guest_data)
    given = wanted.model_dump(exclude={"secret", "sign"})
    try:
        settings = Settings(secret=wanted.secret or signing.new_secret(wanted.sign), **given)
        async with call.house.connection() as conn:
            await endpoints.add(conn, settings, call.house.outbound, patience=PATIENCE)
            row = await seen.overview(conn, call.access, wanted.name)
    except (EndpointError, SecretsError) as error:
        raise seen.refused(error) from None
    return made(row, settings.secret, chosen=wanted.secret is not None, status=201)


async def change_endpoint(call: Call[EndpointPath, EndpointChanged]) -> Reply:
    """Change an endpoint."""
    wanted, name = call.body, call.params.name
    async with call.house.connection() as conn:
        await seen.overview(conn, call.access, name)
        await check_wishes(call, wanted.hotels, guest_data=wanted.guest_data)
        kept = {field for field in ("url", "ca", "headers") if getattr(wanted, field) is None}
        wishes = wanted.model_dump(exclude=kept)
        if wanted.ca == "":
            wishes["ca"] = None
        try:
            await changing.change(conn, name, wishes, call.house.outbound, patience=PATIENCE)
        except (EndpointError, SecretsError) as error:
            raise seen.refused(error) from None
        return Reply(answer(await seen.overview(conn, call.access, name)))


async def remove_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """Remove an endpoint."""
    async with call.house.connection() as conn:
        await seen.overview(conn, call.access, call.params.name)
        await endpoints.remove(conn, call.params.name)
    return Reply(status=204)


async def check_wishes(call: Call[Any, Any], hotels: Sequence[int] | None, *, guest_data: bool) -> None:
    """Make sure that nobody gets more by an endpoint than by the key.

    Raises:
        Problem: `unknown_hotel`, `insufficient_scope`, or `invalid_request` where a key of some hotels asks
            for all.
    """
    access = seen.admin(call.access)
    if guest_data and not access.may("guest-data"):
        raise Problem("insufficient_scope", "Guests' data goes only where the key may see it.", scope="guest-data")
    if hotels is None:
        if access.hotels is not None:
            raise Problem("invalid_request", faults=[Fault("/hotels", "Name hotels: the key does not know all.")])
        return
    for hotel_id in hotels:
        if not access.knows(hotel_id) or not await call.house.hotels.has(hotel_id):
            raise Problem("unknown_hotel")


def made(row: Overview, secret: str, *, chosen: bool, status: int) -> Reply:
    """An endpoint with its new secret, unless its receiver verifies without."""
    shown = None if chosen or row.public_key or row.format == "cache-refresh" else secret
    return Reply(EndpointMade(**answer(row).model_dump(), secret=shown), status, {"Cache-Control": "no-store"})


def answer(row: Overview) -> EndpointAnswer:
    """An endpoint as it is answered."""
    return EndpointAnswer(
        name=row.name,
        url=row.url.partition("?")[0],
        format=row.format,
        hotels=row.hotels,
        types=row.types,
        bookings=row.bookings,
        guest_data=row.guest_data,
        max_bytes=row.max_bytes,
        concurrency=row.concurrency,
        rate_per_second=row.rate_per_second,
        heartbeat_seconds=row.heartbeat_seconds,
        public_key=row.public_key,
        old_secret_until=row.old_secret_until,
        headers=row.headers,
        status=row.status,
        reason=row.reason,
        first_sync_due=row.filling,
        behind=row.behind,
        refused=row.rejected,
        behind_since=row.oldest,
        failures=row.failures,
        next_try_at=row.retry_at,
        last_error=row.last_error,
        last_success_at=row.last_success_at,
    )
