"""How long anybody at the PMS may have to wait for a transaction of ours: less than 400 ms, whatever becomes of us.

A clock on our side ends it after 250 ms, and rolls it back. Where we cannot, the server does: it looks every 50 ms
whether we are still there, so that what a killed process has locked is let go at once; and where we are suspended
or cut off, it ends the wait that is on within 50 ms, and after 95 ms of silence the rest. A server from 17 on
bounds the transaction as a whole, besides. Within a pipeline it counts silence only after a Sync: see
`sql.pipelines`.

The longer a new reservation is, the longer its transaction may take. Nearly all of that are the PMS's own triggers,
and until it is committed nobody knows what he could wait for. A large one locks no room before the end
(`api.bookings.selection`). But who renumbers or deletes a room that it names, or changes the tables, waits as he
would for the front desk's own reservation of as many nights. What is there already is changed in the time that
holds for all.

What keeps the front desk from a room (`sql.pms.rooms.secure`) is locked just before the commit, by a statement that
is sent with it: nothing of ours lies between the two. A disk that is slow to write a commit is not in our hands:
the PMS's own commits wait for it as well.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import psycopg
from psycopg import AsyncConnection

from sql.queries import fill, load

SECONDS = 0.25
"""From the first lock to the end."""

ACT_AS = fill(load("pms/brevity.sql")["act_as"])
"""What `act_as` says, to be said with something else. Parameters: user; more, in milliseconds."""

MANY = 50
"""Room-nights from which on a reservation is large: it may take longer than anybody shall wait."""
_EACH = 0.003
_MOST = 1.0

_SILENCE = 0.095
"""Seconds that the server waits for us to go on, as brevity.sql has it: it ends no session sooner."""

_ENDED = (psycopg.errors.IdleInTransactionSessionTimeout, psycopg.errors.TransactionTimeout)


class OverdueError(psycopg.OperationalError):
    """A transaction was ended, mostly for its length: nothing of it is there unless it was just being committed."""


def more(room_nights: int) -> float:
    """Seconds more that a reservation may take of which so many room-nights are new, all of them.

    On an idle machine each takes half a millisecond.
    """
    return min(max(0, room_nights - MANY) * _EACH, _MOST)


async def act_as(conn: AsyncConnection, user: int) -> None:
    """Tell the PMS's triggers who writes in this transaction, and bound its waits; its first statement."""
    await conn.execute(ACT_AS, {"user": user, "more": 0})


@asynccontextmanager
async def brief(more: float = 0.0) -> AsyncIterator[None]:
    """End the transaction that is within the block if the block takes too long. more: seconds that it may besides.

    A session that is ended by that keeps what it has planned, so that the next try is faster. One that the server
    has ended may be found lost before it is read why.

    Raises:
        OverdueError: it did.
    """
    began = monotonic()
    try:
        async with asyncio.timeout(SECONDS + more) as clock:
            yield
    except (TimeoutError, *_ENDED) as error:
        raise OverdueError from error
    except psycopg.Error as error:
        # A statement that is cancelled may lose its connection, and whoever tidies up on that meets another error.
        if clock.expired() or (_lost(error) and monotonic() - began >= _SILENCE):
            raise OverdueError from error
        raise


def _lost(error: psycopg.Error) -> bool:
    """Whether it is the connection that failed, and nothing that the server says."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None
