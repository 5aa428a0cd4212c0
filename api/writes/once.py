"""Doing a write exactly once, whatever becomes of its answers.

The claim on the key, what is written and the stored answer are one transaction: all of it is there, or nothing. A
refusal undoes it, and is final too: it is stored by a transaction of its own, unless the key has got an answer
meanwhile. What is not final (we are too busy, the key is being worked on) is not stored: the same request is then
decided anew. An attempt that changed nothing is noted either way, so that whoever looks after bookings sees it.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import (
    DeadlockDetected,
    DivisionByZero,
    ForeignKeyViolation,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
    UniqueViolation,
)
from psycopg_pool import PoolTimeout

from api.lookup import AWAY
from api.prices.tariffs import UnpricedError
from api.request.problems import Problem
from api.request.routing import Call, Reply
from api.writes import repeating
from api.writes.rights import rights
from sql import idempotency, links, savepoints
from sql.idempotency import Claim, Request
from sql.links import Link
from sql.pipelines import pipelined
from sql.pms import rooms
from sql.pms.booking import OvertakenError
from sql.pms.brevity import OverdueError, brief, more
from sql.pms.rooms import Taken
from sql.sync import Ended


class Done(NamedTuple):
    """The outcome of `work`. taken: what is to be secured just before the commit."""

    reply: Reply
    taken: Taken


class Ahead(NamedTuple):
    """What is sent together with the claim on the key, and undone where that is of no use.

    link: of the booking that is to be made; contact: of the guest whom it is for, as `sql.pms.clients.contact` has
    it; ask: what else the work will want to know, not waited for.
    """

    link: Link
    contact: str | None
    ask: Callable[[AsyncConnection], Awaitable[None]]


Work = Callable[[AsyncConnection], Awaitable[Reply | Done]]
Told = Callable[[AsyncConnection, Ended], Awaitable[None]]

_PATIENCE = 5.0
"""Seconds that attempts may take, without the turns that are waited for and the pauses between them."""
_TELLING = 1.0
_PAUSE = (0.005, 0.05)
# Somebody goes first, or has just removed what we were about to name; or the same request has just been answered.
_CONTENTION: Final = (
    LockNotAvailable,
    QueryCanceled,
    OverdueError,
    DeadlockDetected,
    SerializationFailure,
    ForeignKeyViolation,
    UniqueViolation,
    OvertakenError,
    DivisionByZero,  # of `sql.pms.rooms.secure`
)


async def once(
    call: Call[Any, Any],
    work: Work,
    told: Told | None = None,
    *,
    pms: bool = True,
    new: int = 0,
    ahead: Ahead | None = None,
) -> Reply:
    """Do `work` once for the call's Idempotency-Key and give its answer, now and whenever it is asked for again.

    Args:
        call: the request.
        work: writes, in a transaction of ours, and answers; a Problem that it raises undoes what it wrote.
        told: writes down what came of an attempt that did nothing: of a refusal together with it, of what is not
            decided, as far as the database can be reached, in a transaction of its own.
        pms: whether it writes into the PMS, where others wait for what it locks; what is ours alone may take its
            time, and is no pipeline: its counts of rows are known at once.
        new: of how many room-nights the reservation is that it makes; 0 where it touches one that is there.
        ahead: of what makes a booking.

    Raises:
        Problem: of `work`; `already_booked` where there is the link; `in_progress`, `idempotency_key_reused`,
            `answer_withheld`, or `unavailable` where for seconds the PMS does not let us in.
    """
    hotel_id = getattr(call.body, "hotel_id", getattr(call.params, "hotel_id", None))
    may_see = rights(call.access, hotel_id)
    request = Request(call.access.source, call.idempotency_key, repeating.fingerprint(call), may_see)
    write = _Write(call, request, work, told, ahead)
    attempt = partial(_attempt, write, more(new)) if pms else partial(_attempt_of_ours, write)
    try:
        return await _insisting(call, attempt, pms=pms)
    except Exception as error:
        if told and (not isinstance(error, Problem) or error.status >= 500):
            await _tell_undecided(call, request, told, Ended(_code(error), undecided=True))
        raise


async def _insisting(call: Call[Any, Any], attempt: Callable[[], Awaitable[Reply]], *, pms: bool) -> Reply:
    """Try again whenever somebody is in the way, until it takes too long."""
    lane = getattr(call.body, "hotel_id", call.path)
    tried = 0.0
    while True:
        try:
            async with call.context.turns.turn(lane) if pms else contextlib.nullcontext():
                began = time.monotonic()
                return await attempt()
        except (*_CONTENTION, UnpricedError) as error:
            tried += time.monotonic() - began
            if tried > _PATIENCE:
                raise Problem("unavailable", headers={"Retry-After": "1"}) from error
            if isinstance(error, UnpricedError):
                tried += await _price(call, error)
                continue
        except TimeoutError as error:
            raise Problem("unavailable", headers={"Retry-After": "5"}) from error
        # Apart, so that those who got into each other's way do not meet again.
        await asyncio.sleep(random.uniform(*_PAUSE))  # noqa: S311 - nothing secret


async def _price(call: Call[Any, Any], unpriced: UnpricedError) -> float:
    """Compute prices outside of the booking's transaction and its time limit; returns the seconds it took."""
    began = time.monotonic()
    async with call.context.connection() as conn:
        await call.context.prices.tariff(conn, *unpriced.wanted)
    return time.monotonic() - began


async def _tell_undecided(call: Call[Any, Any], request: Request, told: Told, ended: Ended) -> None:
    """Note an attempt without an answer, unless its key has one after all, or another attempt is under way."""
    with contextlib.suppress(psycopg.Error, PoolTimeout, TimeoutError):
        async with asyncio.timeout(_TELLING), call.context.connection() as conn, conn.transaction():
            # Whoever had the key is done once we have it; what he wrote just before is seen by the second look.
            for _ in range(2):
                claim = await idempotency.claim(conn, request, call.context.options.pms_user)
            if claim.mine and claim.known is None:
                await told(conn, ended)


def _code(error: Exception) -> str:
    """What the caller is told of it."""
    if isinstance(error, Problem):
        return error.code
    return "unavailable" if isinstance(error, AWAY) else "internal_error"


class _Write(NamedTuple):
    """What is to be done once."""

    call: Call[Any, Any]
    request: Request
    work: Work
    told: Told | None
    ahead: Ahead | None


async def _attempt(write: _Write, more: float) -> Reply:
    """One transaction. It is a pipeline: what nobody waits for is sent together with what comes next."""
    async with write.call.context.writing() as conn, brief(more), pipelined(conn):
        outcome = await _decided(conn, write, write.call.context.options.pms_user, more)
    return _given(outcome)


async def _attempt_of_ours(write: _Write) -> Reply:
    """One transaction that nobody at the PMS waits for."""
    async with write.call.context.connection() as conn:
        outcome = await _decided(conn, write, None)
    return _given(outcome)


def _given(outcome: Reply | Problem) -> Reply:
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


async def _decided(conn: AsyncConnection, write: _Write, user: int | None, more: float = 0.0) -> Reply | Problem:
    """Decide the answer, and store it unless it was or is not final. user: as `idempotency.ask` has it."""
    ahead = write.ahead
    await conn.execute("begin")
    link, contact = (ahead.link, ahead.contact) if ahead else (None, None)
    asked = await idempotency.ask(conn, write.request, user, more, link, contact=contact)
    if ahead:
        await ahead.ask(conn)
    claim = await asked.get()
    if (settled := _settled(write.request, claim)) is not None:
        await savepoints.abandon(conn)
        return settled
    try:
        if ahead and not claim.added:
            raise await _already_booked(conn, ahead.link)
        done = await write.work(conn)
    except Problem as problem:
        if problem.status >= 500 or problem.status == 429:
            raise
        await savepoints.abandon(conn)
        return await _refused(conn, write, problem, user)
    reply, taken = done if isinstance(done, Done) else (done, None)
    await idempotency.keep(conn, write.request, repeating.stored(write.request, reply))
    if taken:
        await rooms.secure(conn, taken)
    await conn.execute("commit")
    return reply


def _settled(request: Request, claim: Claim) -> Reply | Problem | None:
    """What is answered without doing anything; None where there is something to be done."""
    if not claim.mine:
        return Problem("in_progress", headers={"Retry-After": "1"})
    return repeating.repeated(request, claim.known) if claim.known else None


async def _already_booked(conn: AsyncConnection, link: Link) -> Problem:
    known = await links.find(conn, link.source, link.external_id)
    return Problem("already_booked", booking_id=str(known.reservation_id) if known else None)


async def _refused(conn: AsyncConnection, write: _Write, problem: Problem, user: int | None) -> Reply | Problem:
    """Store a refusal, whose transaction was undone; what the key has got meanwhile is answered instead."""
    await conn.execute("begin")
    claim = await idempotency.claim(conn, write.request, user)
    settled = _settled(write.request, claim)
    if settled is None:
        if write.told:
            await write.told(conn, Ended(problem.code))
        await idempotency.keep(conn, write.request, repeating.refused(write.request, problem))
    await conn.execute("commit")
    return problem if settled is None else settled
