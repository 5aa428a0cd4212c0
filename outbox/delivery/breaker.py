"""Whether an endpoint is sent to: a pure function of how it was, and of what came of sends since.

    healthy ─ a failure ─▶ degraded ─ ten in a row ─▶ paused ─ its probe is answered ─▶ degraded
    degraded ─ ten seconds without a failure ─▶ healthy            any ─ 410 Gone ─▶ disabled

One failure stops nothing: each key that failed waits by itself. Only an endpoint that answers nothing any more is
left alone, but for one message at a time that finds out whether it is back. The state stands in the endpoint's row,
so all workers act alike.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from outbox.delivery.outcome import Outcome, outage_pause
from outbox.delivery.pace import risen
from sql.health import Health

PATIENCE = 10
"""Failures in a row that pause an endpoint. One that fails a third of all requests at random gets there once in
90,000 sends; with five it would be every 360."""
_CALM = timedelta(seconds=10)
_BREATH = timedelta(seconds=1)
_SLOWEST = 1 / 16
_CAUTIOUS = 1 / 4
"""Share of its pace that an endpoint is sent to when it is back."""


@dataclass(slots=True)
class Seen:
    """What came of sends since they were last judged.

    answered: it took or rejected something; failed: it did neither; run: how often since it last answered;
    throttled: it said that it is too much; asked: seconds that it wants to be left alone for; probed: among the
    failures is the probe; gone: it said 410.
    """

    answered: bool = False
    failed: bool = False
    run: int = 0
    throttled: bool = False
    asked: float | None = None
    probed: bool = False
    error: str | None = None
    gone: str | None = None

    def note(self, outcome: Outcome, *, probing: bool) -> None:
        """Add one send, in the order of their ends."""
        match outcome.verdict:
            case "gone":
                self.gone = f"it answered {outcome.status} Gone"
            case "outage" | "throttled":
                self.failed = True
                self.run += 1
                self.throttled = self.throttled or outcome.verdict == "throttled"
                self.probed = self.probed or probing
                self.error = outcome.error or "no answer"
                if outcome.retry_after:
                    self.asked = max(self.asked or 0.0, outcome.retry_after)
            case _:
                self.answered = True
                self.run = 0


def held(health: Health) -> bool:
    """Whether its operator has paused or somebody has disabled it: no answer changes that."""
    return health.status == "disabled" or (health.status == "paused" and health.retry_at is None)


def in_a_row(health: Health, seen: Seen) -> int:
    """Failures since the last answer."""
    return seen.run if seen.answered else health.failures + seen.run


def urgent(health: Health, seen: Seen) -> bool:
    """Whether the others should know at once: not every success of a degraded endpoint is worth a write."""
    if seen.gone is not None:
        return True
    if health.status == "paused":
        return seen.answered or seen.probed
    if seen.asked is not None:
        return True
    return seen.failed and (health.status == "healthy" or in_a_row(health, seen) >= PATIENCE)


def judge(health: Health, seen: Seen, now: datetime, chance: float) -> Health:
    """How it is now. `chance` in 0..1 spreads the probes of endpoints that went down together."""
    if held(health):
        return health
    if seen.gone is not None:
        return replace(health, status="disabled", reason=seen.gone, retry_at=None)
    if health.status == "paused":
        return _while_paused(health, seen, now, chance)
    if health.retry_at is not None and health.retry_at <= now:
        health = replace(health, retry_at=None)
    if not seen.failed:
        return _while_it_answers(health, seen, now)
    failures = in_a_row(health, seen)
    failing = replace(_slowed(health, seen, now), failures=failures, failed_at=now, last_error=seen.error)
    if failures >= PATIENCE:
        # Those beyond were on their way at the same time: the first pause is as short for many lanes as for one.
        return _paused(replace(failing, failures=PATIENCE), seen, now, chance)
    asked = now + timedelta(seconds=outage_pause(0, seen.asked, chance)) if seen.asked else None
    return replace(failing, status="degraded", reason=seen.error, retry_at=asked or health.retry_at)


def _while_paused(health: Health, seen: Seen, now: datetime, chance: float) -> Health:
    """Sends that were in flight when it was paused say nothing new by failing; its probe does."""
    if seen.answered:
        return replace(
            health,
            status="degraded",
            failures=seen.run,
            retry_at=None,
            failed_at=now,
            pace=min(health.pace, _CAUTIOUS),
            paced_at=now,
        )
    if not seen.probed:
        return health
    return _paused(replace(health, failures=health.failures + 1, last_error=seen.error), seen, now, chance)


def _while_it_answers(health: Health, seen: Seen, now: datetime) -> Health:
    failures = 0 if seen.answered else health.failures
    calm = not failures and health.retry_at is None and _passed(health.failed_at, now, _CALM)
    if health.status == "degraded" and calm:
        return replace(health, status="healthy", reason=None, failures=0, last_error=None)
    return replace(health, failures=failures)


def _paused(health: Health, seen: Seen, now: datetime, chance: float) -> Health:
    pause = outage_pause(health.failures - PATIENCE, seen.asked, chance)
    return replace(
        health,
        status="paused",
        reason=f"{health.failures} failures in a row, the last: {seen.error}",
        retry_at=now + timedelta(seconds=pause),
        failed_at=now,
    )


def _slowed(health: Health, seen: Seen, now: datetime) -> Health:
    """Halved, but once a second: answers to what was on its way already ask for nothing new."""
    if not seen.throttled or not _passed(health.paced_at, now, _BREATH):
        return health
    since = (now - health.paced_at).total_seconds() if health.paced_at else 0.0
    return replace(health, pace=max(risen(health.pace, since) / 2, _SLOWEST), paced_at=now)


def _passed(since: datetime | None, now: datetime, span: timedelta) -> bool:
    return since is None or now - since >= span
