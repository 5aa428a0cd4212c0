"""One send of a message: sign it, POST it, and note what came of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from outbox import signing
from outbox.delivery.compose import Message
from outbox.delivery.line import Line
from outbox.delivery.outcome import Outcome
from outbox.signing import Signer
from sql.delivery import Attempt


@dataclass(frozen=True, slots=True)
class Sent:
    """A send and what came of it."""

    outcome: Outcome
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Signing:
    """What an endpoint's messages are signed with: the newest secret, and until its grace ends the one before."""

    newest: Signer
    before: Signer | None = None
    before_until: datetime | None = None

    def at(self, now: datetime) -> Sequence[Signer]:
        """Those that sign now."""
        if self.before is None or self.before_until is None or self.before_until <= now:
            return [self.newest]
        return [self.newest, self.before]


class Sender:
    """Sends messages to one endpoint."""

    def __init__(self, endpoint_id: int, line: Line, keys: Signing) -> None:
        self._endpoint_id = endpoint_id
        self._line = line
        self._keys = keys

    async def send(self, message: Message) -> Sent:
        """Send once. Whatever the other side does is an outcome, never an exception."""
        body = message.body()
        webhook_id = self._id(message)
        at = datetime.now(UTC)
        started = time.perf_counter()
        outcome = await self._line.post(body, self._headers(webhook_id, at, body))
        latency = round((time.perf_counter() - started) * 1000)
        attempt = Attempt(
            at,
            webhook_id,
            message.type,
            message.hotel_id,
            len(message.parts),
            len(body),
            "forbidden" if outcome.forbidden else outcome.verdict,
            outcome.status,
            latency,
            outcome.error,
            outcome.answer,
        )
        return Sent(outcome, attempt)

    def _id(self, message: Message) -> str:
        # A heartbeat's time is what it says: two that are otherwise alike are not the same message.
        said = message.data if message.parts else message.body()
        return signing.webhook_id(self._endpoint_id, message.type, said)

    def _headers(self, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
        timestamp = int(at.timestamp())
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.signature(self._keys.at(at), webhook_id, timestamp, body),
        }
