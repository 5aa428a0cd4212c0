"""Speaking to one endpoint: what it is told, and one send of it."""

import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import orjson
import structlog

from outbox import signing
from outbox.delivery.compose import Composed, Message, compose, heartbeat
from outbox.delivery.line import Line
from outbox.delivery.outcome import Outcome
from outbox.signing import Signer
from sql.delivery import Attempt, Claim, Target

_INNERMOST = 3
_log = structlog.get_logger(__name__)


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


class Sender(Protocol):
    """Speaks to one endpoint in its format."""

    def compose(self, claims: Iterable[Claim]) -> Composed:
        """What claimed documents come to; snapshots are composed apart."""

    def heartbeat(self, as_of: datetime | None, behind: int) -> Message:
        """What is sent when nothing else need be."""

    def test(self) -> Message:
        """What tries an endpoint out."""

    async def send(self, message: Message) -> Sent:
        """Send once. Whatever the other side does is an outcome, never an exception."""


class Webhooks:
    """The format `standard-webhooks`: signed messages that say what is."""

    def __init__(self, target: Target, line: Line, keys: Signing) -> None:
        self._target = target
        self._line = line
        self._keys = keys

    def compose(self, claims: Iterable[Claim]) -> Composed:
        """See Sender."""
        return compose(claims, guest_data=self._target.guest_data, max_bytes=self._target.max_bytes)

    def heartbeat(self, as_of: datetime | None, behind: int) -> Message:
        """See Sender."""
        return heartbeat(as_of, behind)

    def test(self) -> Message:
        """See Sender."""
        said = orjson.dumps({"endpoint": self._target.name})
        return Message("endpoint.test", None, (), said, datetime.now(UTC))

    async def send(self, message: Message) -> Sent:
        """See Sender."""
        body = message.body()
        webhook_id = self._id(message)
        at, started = datetime.now(UTC), time.perf_counter()
        outcome = await self._line.post(body, self._headers(webhook_id, at, body))
        seconds = time.perf_counter() - started
        return sent(message, outcome, webhook_id, at=at, seconds=seconds, size=len(body))

    def _id(self, message: Message) -> str:
        # A heartbeat's time is what it says: two that are otherwise alike are not the same message.
        said = message.data if message.parts else message.body()
        return signing.webhook_id(self._target.id, message.type, said)

    def _headers(self, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
        timestamp = int(at.timestamp())
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.signature(self._keys.at(at), webhook_id, timestamp, body),
        }


async def dispatch(sender: Sender, message: Message, target: Target) -> Sent:
    """Send once. What nobody foresaw is an outage, too, and logged: one message must not end a whole worker."""
    at, started = datetime.now(UTC), time.perf_counter()
    try:
        return await sender.send(message)
    except Exception as failure:  # noqa: BLE001 - nobody foresaw it
        name, frames = type(failure).__name__, traceback.extract_tb(failure.__traceback__)
        # Not its words, which may hold what is secret of the endpoint.
        where = [f"{frame.filename}:{frame.lineno}" for frame in frames[-_INNERMOST:]]
        _log.error("send_not_understood", endpoint=target.name, type=message.type, error=name, where=where)
        outcome = Outcome("outage", error=f"{name}: see the log's send_not_understood")
        return sent(message, outcome, "", at=at, seconds=time.perf_counter() - started, size=0)


def sent(message: Message, outcome: Outcome, webhook_id: str, *, at: datetime, seconds: float, size: int) -> Sent:
    """A send that began `at` and took so many seconds. size: bytes that were sent."""
    attempt = Attempt(
        at,
        webhook_id,
        message.type,
        message.hotel_id,
        len(message.parts),
        size,
        "forbidden" if outcome.forbidden else outcome.verdict,
        outcome.status,
        round(seconds * 1000),
        outcome.error,
        outcome.answer,
    )
    return Sent(outcome, attempt)
