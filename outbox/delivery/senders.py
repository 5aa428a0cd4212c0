"""The one way to get what speaks to an endpoint: for deliveries, and to try one out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import ClientSession

from outbox import signing
from outbox.delivery import reaching
from outbox.delivery.connecting import Guard
from outbox.delivery.line import Line, open_session
from outbox.delivery.outbound import Outbound
from outbox.delivery.refresher import Refresher
from outbox.delivery.sender import Sender, Signing, Webhooks
from sql.delivery import Target


@asynccontextmanager
async def open_senders(
    outbound: Outbound, *, connect: float = 3.0, total: float = 15.0
) -> AsyncIterator[Callable[[Target], Sender]]:
    """Connections that all senders share, and what makes a sender of an endpoint. Times in seconds.

    What is given raises SecretsError or ValueError for an endpoint that cannot be used as it is stored.
    """
    secure, plain = Guard(outbound.allowed, encrypted=True), Guard(outbound.allowed, encrypted=False)
    async with (
        open_session(secure, names=outbound.names, connect=connect) as https,
        open_session(plain, names=outbound.names, connect=connect) as http,
    ):
        yield lambda target: _sender(outbound, target, https if target.url.startswith("https:") else http, total)


def _sender(outbound: Outbound, target: Target, session: ClientSession, total: float) -> Sender:
    read = outbound.secrets.decrypt
    old = signing.signer(read(target.old_secret)) if target.old_secret else None
    line = Line(
        session,
        target.url,
        {name: read(value) for name, value in target.headers.items()},
        reaching.tls(target.ca) if target.ca else True,
        total,
    )
    if target.format == "cache-refresh":
        return Refresher(target, line, lambda: datetime.now(ZoneInfo(outbound.time_zone)).date())
    return Webhooks(target, line, Signing(signing.signer(read(target.secret)), old, target.old_secret_until))
