"""What is needed to send to endpoints, and the one way to get a sender: for deliveries, and to try one out."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import ClientSession

from outbox import signing
from outbox.delivery import connecting
from outbox.delivery.addresses import Network
from outbox.delivery.connecting import Guard
from outbox.delivery.line import Line, open_session
from outbox.delivery.refresher import Refresher
from outbox.delivery.sender import Sender, Signing, Webhooks
from outbox.secrets import Secrets, SecretsError
from sql.delivery import Target

NO_KEYS = (
    "ROOMWIRE_SECRET_KEYS is not set, and what is secret of an endpoint is stored encrypted;"
    " `roomwire key secret` makes one, to be set for every process"
)


@dataclass(frozen=True, slots=True)
class Outbound:
    """What an operator has set for all endpoints.

    keys: what their secrets are encrypted with, None where nothing is set; allowed: networks that may be sent to
    though they are not public, also in clear; time_zone: the hotels'.
    """

    keys: Secrets | None = field(default=None, repr=False)
    allowed: Sequence[Network] = ()
    time_zone: str = "Asia/Tokyo"

    @property
    def secrets(self) -> Secrets:
        """What their secrets are encrypted with.

        Raises:
            SecretsError: nothing is set; the message says what to do.
        """
        if self.keys is None:
            raise SecretsError(NO_KEYS)
        return self.keys

    @asynccontextmanager
    async def open(self, *, connect: float = 3.0, total: float = 15.0) -> AsyncIterator[Callable[[Target], Sender]]:
        """Connections that all senders share, and what makes a sender of an endpoint. Times in seconds.

        What is given raises SecretsError or ValueError for an endpoint that cannot be used as it is stored.
        """
        secure, plain = Guard(self.allowed, encrypted=True), Guard(self.allowed, encrypted=False)
        async with (
            open_session(secure, connect=connect, total=total) as https,
            open_session(plain, connect=connect, total=total) as http,
        ):
            yield lambda target: self._sender(target, https if target.url.startswith("https:") else http, total)

    def _sender(self, target: Target, session: ClientSession, total: float) -> Sender:
        read = self.secrets.decrypt
        old = signing.signer(read(target.old_secret)) if target.old_secret else None
        line = Line(
            session,
            target.url,
            {name: read(value) for name, value in target.headers.items()},
            connecting.tls(target.ca) if target.ca else True,
            total,
        )
        if target.format == "cache-refresh":
            return Refresher(target, line, lambda: datetime.now(ZoneInfo(self.time_zone)).date())
        return Webhooks(target, line, Signing(signing.signer(read(target.secret)), old, target.old_secret_until))
