"""What came of an endpoint's sends, collected until it is written down in one statement."""

import random
import time
from collections.abc import Iterable
from functools import partial
from uuid import UUID

import structlog

from outbox.delivery.compose import Message, Part
from outbox.delivery.lease import Lease
from outbox.delivery.outcome import outage_pause_of_key, rejection_pause
from outbox.delivery.steady import steadily
from outbox.metrics import Meter
from sql import delivery
from sql.delivery import Attempt, Claim, Due, Result, Target
from sql.pool import Pool

_REJECTIONS_LOGGED_EVERY = 10.0
_log = structlog.get_logger(__name__)


class Ledger:
    """Collects results and attempts of one endpoint."""

    def __init__(self, pool: Pool, target: Target) -> None:
        self._pool = pool
        self._target = target
        self._results: list[Result] = []
        self._attempts: list[Attempt] = []
        self._writing: list[Result] = []
        self._rejected = self._refused = 0
        self._rejections_logged = -_REJECTIONS_LOGGED_EVERY
        self._meter = Meter(target.name, time.time())

    def __len__(self) -> int:
        return len(self._results) + len(self._attempts)

    def attempted(self, attempt: Attempt) -> None:
        """A send was made."""
        self._attempts.append(attempt)
        self._meter.attempted(attempt.outcome, attempt.latency_ms / 1000)

    def delivered(self, token: UUID, message: Message) -> None:
        """The endpoint has taken a message."""
        self.acknowledge(token, [(part.claim, part.version) for part in message.parts])
        if documents := [part for part in message.parts if part.claim.kind != "snapshot"]:
            newest = max(part.version for part in documents)
            self._meter.delivered(len(documents), committed_at=message.timestamp, version=newest, now=time.time())

    def acknowledge(self, token: UUID, known: Iterable[tuple[Claim, int]]) -> None:
        """The endpoint has these keys in these versions."""
        self._results += [Result(*claim[:3], token, version, "delivered") for claim, version in known]

    def release(self, token: UUID, claims: Iterable[Claim]) -> None:
        """These keys were not sent, or nobody knows what came of it."""
        self._results += [Result(*claim[:3], token, 0, "released") for claim in claims]

    def delay(self, token: UUID, part: Part, error: str | None) -> None:
        """A send of this key failed through no fault of its content."""
        pause = outage_pause_of_key(part.claim.outages, random.random())  # noqa: S311 - spreads retries
        self._results.append(Result(*part.claim[:3], token, part.version, "delayed", pause, error))

    def reject(self, token: UUID, part: Part, error: str | None) -> None:
        """The endpoint does not take this key's content."""
        pause = rejection_pause(part.claim.tries, random.random())  # noqa: S311 - spreads retries
        verdict: delivery.Verdict = "refused" if pause is None else "rejected"
        self._rejected += 1
        self._refused += verdict == "refused"
        self._results.append(Result(*part.claim[:3], token, part.version, verdict, pause or 0.0, error))

    async def settle(self) -> Due:
        """Write down everything collected so far, however long the database takes; returns what is due by that."""
        due = Due(fresh=False, place=None, wait=None)
        if self:
            results, self._results = self._results, []
            attempts, self._attempts = self._attempts, []
            self._writing = results
            write = partial(delivery.settle, endpoint_id=self._target.id, results=results, attempts=attempts)
            due = await steadily(self._pool, write)
            self._writing = []
        self._log_rejections()
        return due

    def lose(self, lease: Lease) -> None:
        """Give up what is not written down yet."""
        for token in {result.token for result in self._writing + self._results}:
            lease.lose(self._target.id, token)

    def _log_rejections(self) -> None:
        """One line for many: an endpoint that takes nothing must not fill the disk."""
        now = time.monotonic()
        if self._rejected and now - self._rejections_logged >= _REJECTIONS_LOGGED_EVERY:
            rejected, self._rejected = self._rejected, 0
            refused, self._refused = self._refused, 0
            self._rejections_logged = now
            _log.warning("keys_rejected", endpoint=self._target.name, rejected=rejected, refused=refused)
