"""What is done with an endpoint over HTTP: try it out, pause, resume, rotate its secret, enable, disable."""

from collections.abc import Awaitable, Callable
from typing import Any

from psycopg import AsyncConnection

from api.control import seen
from api.control.endpoint_models import EndpointPath, PauseAsked, RotateAsked, TestAnswer
from api.control.endpoints import answer, made, shown
from api.request.problems import Problem
from api.request.routing import Call, Nothing, Reply
from api.writes.once import once
from outbox import endpoints, rotation
from outbox.delivery import trial
from outbox.secrets import SecretsError
from outbox.settings import EndpointError
from sql import control

_BY_API = "by its operator, over the API"


async def test_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """Send a test message, and tell what came of it."""
    async with call.context.connection() as conn:
        await seen.check(conn, call.access, call.params.name)
        target = await trial.find(conn, call.params.name)
    if target is None:
        raise Problem("unknown_endpoint")
    # No connection is held meanwhile: an endpoint may take 15 seconds.
    try:
        sent = await trial.send(target, call.context.outbound)
    except (SecretsError, ValueError) as error:
        raise seen.refused(error) from None
    async with call.context.connection() as conn:
        await trial.note(conn, target, sent)
    tried = sent.attempt
    return Reply(
        TestAnswer(
            outcome=tried.outcome,
            status=tried.status,
            latency_ms=tried.latency_ms,
            error=tried.error,
            answer=tried.answer,
            webhook_id=tried.webhook_id,
        )
    )


async def rotate_endpoint(call: Call[EndpointPath, RotateAsked]) -> Reply:
    """Give it another signing secret."""
    asked, name = call.body, call.params.name

    async def work(conn: AsyncConnection) -> Reply:
        await seen.check(conn, call.access, name)
        try:
            secret = await rotation.rotate(
                conn, name, call.context.outbound, grace=asked.grace_seconds, secret=asked.secret
            )
        except (EndpointError, SecretsError) as error:
            raise seen.refused(error) from None
        row = await seen.overview(conn, call.access, name)
        return made(call, row, secret, chosen=asked.secret is not None, status=200)

    return shown(call, await once(call, work, pms=False))


async def pause_endpoint(call: Call[EndpointPath, PauseAsked]) -> Reply:
    """Send nothing until it is resumed."""
    return await _do(call, lambda conn: _enabled(control.pause(conn, call.params.name, call.body.reason)))


async def resume_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """Send again, at once."""
    return await _do(call, lambda conn: _enabled(control.resume(conn, call.params.name)))


async def enable_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """Send everything, as to a new one."""
    return await _do(call, lambda conn: endpoints.reset(conn, call.params.name))


async def disable_endpoint(call: Call[EndpointPath, Nothing]) -> Reply:
    """Send nothing and note nothing."""
    return await _do(call, lambda conn: endpoints.disable(conn, call.params.name, f"disabled {_BY_API}"))


async def _enabled(done: Awaitable[bool]) -> None:
    if not await done:
        raise Problem("endpoint_disabled")


async def _do(call: Call[EndpointPath, Any], work: Callable[[AsyncConnection], Awaitable[object]]) -> Reply:
    async def done(conn: AsyncConnection) -> Reply:
        before = await seen.overview(conn, call.access, call.params.name)
        try:
            await work(conn)
        except EndpointError as error:
            raise seen.refused(error) from None
        return Reply(answer(await seen.overview(conn, call.access, call.params.name, before=before)))

    return await once(call, done, pms=False)
