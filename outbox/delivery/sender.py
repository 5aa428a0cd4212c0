"""One send: sign, POST, and read what came back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from outbox import signing
from outbox.delivery.compose import Message
from outbox.delivery.outcome import Outcome, classify, retry_after
from sql.delivery import Attempt, Target

_ANSWER_CAP = 16_384
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """A send and what came of it."""

    outcome: Outcome
    attempt: Attempt


def open_session(*, connect: float = 3.0, total: float = 15.0, agent: str = "roomwire") -> aiohttp.ClientSession:
    """The client for all endpoints: no proxy of the environment's, no cookies, no decompression.

    `connect` and `total` are seconds. Each pump bounds its own sends, so that no endpoint takes another's share.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=total, connect=connect),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"user-agent": agent, "content-type": "application/json"},
        trust_env=False,
        auto_decompress=False,
    )


class Sender:
    """Sends to one endpoint."""

    def __init__(self, session: aiohttp.ClientSession, target: Target) -> None:
        self._session = session
        self._target = target
        self._key = signing.signing_key(target.secret)

    async def send(self, message: Message) -> Sent:
        """Send once. Whatever the other side does is an outcome, never an exception."""
        body = message.body()
        webhook_id = self._id(message)
        at = datetime.now(UTC)
        started = time.perf_counter()
        outcome = await self._post(body, self._headers(webhook_id, int(at.timestamp()), body))
        latency = round((time.perf_counter() - started) * 1000)
        attempt = Attempt(
            at,
            webhook_id,
            message.type,
            message.hotel_id,
            len(message.parts),
            len(body),
            outcome.verdict,
            outcome.status,
            latency,
            outcome.error,
            outcome.answer,
        )
        return Sent(outcome, attempt)

    def _id(self, message: Message) -> str:
        # A heartbeat's time is what it says: two that are otherwise alike are not the same message.
        said = message.data if message.parts else message.body()
        return signing.webhook_id(self._target.id, message.type, said)

    def _headers(self, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.sign(self._key, webhook_id, timestamp, body),
        }

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        try:
            async with self._session.post(
                self._target.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = await _answer(response)
                verdict = classify(response.status)
                asked = retry_after(response.headers.get("retry-after"), datetime.now(UTC))
                error = None if verdict == "delivered" else f"HTTP {response.status}"
                return Outcome(verdict, response.status, error, asked, answer)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as failure:
            return Outcome("outage", error=_printable(f"{type(failure).__name__}: {_said(failure)}"))


async def _answer(response: aiohttp.ClientResponse) -> str | None:
    """The first characters of the answer. The status stands, whatever becomes of its body."""
    read = b""
    try:
        while len(read) < _ANSWER_CAP and (chunk := await response.content.read(_ANSWER_CAP - len(read))):
            read += chunk
    except (aiohttp.ClientError, OSError, TimeoutError):
        response.close()
    if len(read) >= _ANSWER_CAP:
        response.close()
    return _printable(read.decode(errors="replace")) if read else None


def _said(failure: Exception) -> str:
    """What it says, in one line and without the address: its query may be a secret."""
    said = failure.message if isinstance(failure, aiohttp.ClientResponseError) else str(failure)
    return " ".join(said.split())


def _printable(text: str) -> str:
    """What PostgreSQL's text can hold: no NUL, no lone surrogates."""
    return text[:_SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
