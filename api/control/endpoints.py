"""Endpoints over HTTP: add, read, change, remove."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import AsyncConnection

from api.control import seen
from api.control.endpoint_models import (
    ChangeAnswer,
    ChangesAnswer,
    EndpointAnswer,
    EndpointAsked,
    EndpointChanged,
    EndpointMade,
    EndpointPath,
    EndpointsAnswer,
)
from api.request.etags import digest
from api.request.handling import encoded
from api.request.problems import Fault, Problem
from api.request.routing import Call, Nothing, Reply
from api.writes.once import once
from outbox import changing, endpoints, signing
from outbox.changing import Begun, OvertakenError
from outbox.endpoints import BusyError
from outbox.secrets import SecretsError
from outbox.settings import EndpointError, Settings
from sql import control
from sql import endpoints as removal
from sql.endpoints import Overview

PATIENCE = 4.0
"""Seconds that a request waits for a moment when nobody writes documents."""
_TAG = re.compile(r'"(?P<id>[0-9]{1,10})\.(?P<revision>[0-9]{1,10})-[0-9a-f]+"')


async def list_endpoints(call: Call[Nothing, Nothing]) -> Reply:
    """The endpoints that the key knows."""
    async with call.context.connection() as conn:
        rows = await seen.overviews(conn, call.access)
    return Reply(EndpointsAnswer(endpoints=[answer(row) for row in rows]))


async def read_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """One endpoint."""
    async with call.context.connection() as conn:
        return tagged(await seen.overview(conn, call.access, call.params.name))


async def list_changes(call: Call[EndpointPath, Nothing]) -> Reply:
    """How an endpoint has fared."""
    async with call.context.connection() as conn:
        row = await seen.overview(conn, call.access, call.params.name)
        found = await control.changes(conn, row.id)
    return Reply(ChangesAnswer(changes=[ChangeAnswer(**change._asdict()) for change in found]))


async def add_endpoint(call: Call[Nothing, EndpointAsked]) -> Reply:
    """Add an endpoint."""
    wanted = call.body
    await check_wishes(call, wanted.hotels, guest_data=wanted.guest_data)
    secret = wanted.secret or signing.new_secret(wanted.sign)
    try:
        settings = Settings(secret=secret, **wanted.model_dump(exclude={"secret", "sign"}))
        await endpoints.check_address(settings.url, call.context.outbound)
    except EndpointError as error:
        raise seen.refused(error) from None

    async def work(conn: AsyncConnection) -> Reply:
        try:
            await endpoints.insert(conn, settings, call.context.outbound)
        except (EndpointError, SecretsError) as error:
            raise seen.refused(error) from None
        row = await seen.overview(conn, call.access, wanted.name)
        return made(call, row, secret, chosen=wanted.secret is not None, status=201)

    return shown(call, await once(call, work, pms=False))


async def change_endpoint(call: Call[EndpointPath, EndpointChanged]) -> Reply:
    """Change an endpoint."""
    wanted, name = call.body, call.params.name
    begun: list[Begun] = []
    await _check_change(call)
    kept = {field for field in ("url", "ca", "headers") if getattr(wanted, field) is None}
    wishes = wanted.model_dump(exclude=kept)
    if wanted.ca == "":
        wishes["ca"] = None

    async def work(conn: AsyncConnection) -> Reply:
        begun.clear()
        row = await seen.overview(conn, call.access, name)
        try:
            begun.append(
                await changing.begin(
                    conn, name, wishes, call.context.outbound, expected=_expected(call.headers, row)
                )
            )
        except OvertakenError:
            raise Problem("endpoint_changed") from None
        except (EndpointError, SecretsError) as error:
            raise seen.refused(error) from None
        return tagged(await seen.overview(conn, call.access, name, before=row))

    reply = await once(call, work, pms=False)
    for one in begun:
        async with call.context.connection() as conn:
            try:
                await changing.finish(conn, one, patience=PATIENCE)
            except BusyError:
                # Claims send nothing of it, and the next change of the endpoint takes it out of the queue.
                break
    return reply


def tagged(row: Overview) -> Reply:
    """An endpoint, with a tag of all that is said: If-Match looks at its first part, how the endpoint is set up."""
    said = answer(row)
    return Reply(said, etag=f"{row.id}.{row.revision}-{digest(said.model_dump_json().encode())}")


def _expected(headers: Mapping[str, str], row: Overview) -> list[int] | None:
    """The revisions of an endpoint that If-Match names; None where any will do."""
    given = headers.get("if-match", "*").strip()
    if given == "*":
        return None
    found = (_TAG.fullmatch(one.strip()) for one in given.split(","))
    return [int(one["revision"]) for one in found if one and int(one["id"]) == row.id]


async def _check_change(call: Call[EndpointPath, EndpointChanged]) -> None:
    """Look at what takes its time, before the transaction, if the endpoint is the caller's to know."""
    async with call.context.connection() as conn:
        await seen.check(conn, call.access, call.params.name)
    await check_wishes(call, call.body.hotels, guest_data=call.body.guest_data)
    if call.body.url is not None:
        try:
            await endpoints.check_address(call.body.url, call.context.outbound)
        except EndpointError as error:
            raise seen.refused(error) from None


class _FullError(Exception):
    """An endpoint that is to be removed still has what it was behind on."""


async def remove_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """Remove an endpoint."""
    name = call.params.name
    emptied: list[int] = []

    async def work(conn: AsyncConnection) -> Reply:
        await seen.check(conn, call.access, name)
        if not emptied:
            raise _FullError
        await removal.remove(conn, emptied[0])
        return Reply(status=204)

    try:
        return await once(call, work, pms=False)
    except _FullError:
        async with call.context.connection() as conn:
            emptied.append(await endpoints.empty(conn, name))
        return await once(call, work, pms=False)


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
        if not access.knows(hotel_id) or not await call.context.hotels.has(hotel_id):
            raise Problem("unknown_hotel")


def made(call: Call[Any, Any], row: Overview, secret: str, *, chosen: bool, status: int) -> Reply:
    """An endpoint with its new secret, unless its receiver verifies without: encrypted, as it is stored."""
    hidden = chosen or row.public_key or row.format == "cache-refresh"
    sealed = None if hidden else call.context.secrets.encrypt(secret)
    said = EndpointMade(**answer(row).model_dump(), secret=sealed)
    return Reply(said, status, {"Cache-Control": "no-store"})


def shown(call: Call[Any, Any], reply: Reply) -> Reply:
    """What `made` gave, now or before, with the secret as its receiver needs it."""
    said = EndpointMade.model_validate_json(encoded(reply.body) or b"")
    secret = said.secret and call.context.secrets.decrypt(said.secret)
    return replace(reply, body=said.model_copy(update={"secret": secret}))


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
