"""Trying an endpoint out: a message of its own, sent by the very sender that deliveries use.

Whatever comes of it changes nothing: not whether the endpoint counts as healthy, nor when it is tried next.
"""

import contextlib

from psycopg import AsyncConnection
from psycopg.errors import CheckViolation

from outbox.delivery.outbound import Outbound
from outbox.delivery.sender import Sent, dispatch
from outbox.delivery.senders import open_senders
from sql import control, ledger
from sql.delivery import Target


async def find(conn: AsyncConnection, name: str) -> Target | None:
    """Where a test message goes, and how; paused and disabled endpoints can be tried, too."""
    return await control.target(conn, name)


async def send(target: Target, outbound: Outbound) -> Sent:
    """Send a test message and wait for what comes of it, at most 15 seconds.

    Raises:
        SecretsError: what is stored of the endpoint cannot be read.
        ValueError: it cannot be used.
    """
    async with open_senders(outbound) as sender_of:
        sender = sender_of(target)
        return await dispatch(sender, sender.test(), target)


async def note(conn: AsyncConnection, target: Target, sent: Sent) -> None:
    """Write the attempt down beside those of deliveries; where none ever ran, there is no partition for it."""
    with contextlib.suppress(CheckViolation):
        await ledger.note(conn, target.id, sent.attempt)
