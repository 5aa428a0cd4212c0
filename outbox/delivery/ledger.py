"""What came of an endpoint's sends, collected until it is written down in one statement."""

import random
import time
from collections.abc import Iterable
from functools import partial
from uuid import UUID

import structlog

from outbox.delivery.compose import Part
from outbox.delivery.lease import Lease
from outbox.delivery.outcome import Outcome, outage_pause, rejection_pause
from outbox.delivery.steady import steadily
from outbox.metrics import Meter
from sql import delivery
from sql.delivery import Attempt, Claim, Result, Target
from sql.pool import Pool

_NOTED_EVERY = 60.0
_REJECTIONS_LOGGED_EVERY = 10.0
_log = structlog.get_logger(__name__)


class Ledger:
    """Collects results and attempts of one endpoint, and its standing: whether it answers.

    Attributes:
        failures: consecutive outages, as far as known here.
        meter: measures the sends.
    """

    def __init__(self, pool: Pool, target: Target) -> None:
        self._pool = pool
        self._target = target
        self._results: list[Result] = []
        self._writing: list[Result] = []
        self._attempts: list[Attempt] = []
        self._outage: Outcome | None = None
        self._probing = False
        self._answered = False
        self._gone: Outcome | None = None
        self._noted = -_NOTED_EVERY
        self._rejected = self._refused = 0
        self._rejections_logged = -_REJECTIONS_LOGGED_EVERY
        self.failures = 0
        self.meter = Meter(target.name, time.time())

    def __len__(self) -> int:
        return len(self._results) + len(self._attempts)

    def acknowledge(self, token: UUID, known: Iterable[tuple[Claim, int]]) -> None:
        """The endpoint has these keys in these versions."""
        self._results += [Result(*claim[:3], token, version, "delivered") for claim, version in known]

    def release(self, token: UUID, claims: Iterable[Claim], error: str | None = None) -> None:
        """These keys were not delivered, through no fault of theirs."""
        self._results += [Result(*claim[:3], token, 0, "released", 0.0, error) for claim in claims]

    def reject(self, token: UUID, part: Part, error: str | None) -> None:
        """The endpoint does not take this key's content."""
        pause = rejection_pause(part.claim.tries, random.random())  # noqa: S311 - spreads retries
        verdict: delivery.Verdict = "refused" if pause is None else "rejected"
        self._rejected += 1
        self._refused += verdict == "refused"
        self._results.append(Result(*part.claim[:3], token, part.version, verdict, pause or 0.0, error))

    def note(self, attempt: Attempt, outcome: Outcome, *, probing: bool) -> None:
        """A send was made; its outcome tells how the endpoint is."""
        self._attempts.append(attempt)
        self.meter.attempted(attempt.outcome, attempt.latency_ms / 1000)
        if outcome.verdict == "gone":
            self._gone = outcome
        elif outcome.verdict in {"outage", "throttled"}:
            self._outage = outcome
            self._probing = self._probing or probing
        else:
            self._answered = True

    async def settle(self) -> int | None:
        """Write down everything collected so far, however long the database takes.

        Returns the first place in the queue of what has a newer version than was sent, if there is any.
        """
        place = None
        if self._results or self._attempts:
            results, self._results = self._results, []
            attempts, self._attempts = self._attempts, []
            write = partial(delivery.settle, endpoint_id=self._target.id, results=results, attempts=attempts)
            self._writing += results
            place = await steadily(self._pool, write)
            self._writing = []
        self._log_rejections()
        await self._settle_standing()
        return place

    async def _settle_standing(self) -> None:
        gone, self._gone = self._gone, None
        outage, self._outage = self._outage, None
        answered, self._answered = self._answered, False
        if gone:
            reason = f"it answered {gone.status} Gone"
            await steadily(self._pool, partial(delivery.gone, endpoint_id=self._target.id, reason=reason))
            _log.warning("endpoint_gone", endpoint=self._target.name, reason=reason)
        elif outage:
            await self._write_outage(outage)
        elif answered and (self.failures or time.monotonic() - self._noted >= _NOTED_EVERY):
            await steadily(self._pool, partial(delivery.success, endpoint_id=self._target.id))
            if self.failures:
                _log.info("endpoint_recovered", endpoint=self._target.name, failures=self.failures)
            self.failures, self._noted = 0, time.monotonic()

    async def _write_outage(self, outage: Outcome) -> None:
        probing, self._probing = self._probing, False
        wait = outage_pause(self.failures, outage.retry_after, random.random())  # noqa: S311 - spreads retries
        write = partial(
            delivery.outage,
            endpoint_id=self._target.id,
            wait=wait,
            probing=probing,
            error=outage.error or "no answer",
        )
        await steadily(self._pool, write)
        if not self.failures:
            _log.warning("endpoint_failing", endpoint=self._target.name, error=outage.error)
        self.failures = max(self.failures, 1)

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
