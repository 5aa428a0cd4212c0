"""Whether this process is ready to do its part, and if not, why. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from api.operations import Readiness
from daemon.observation import Observation
from daemon.progress import Progress

LATE_SECONDS = 60.0
"""A leader whose changes come later than this, or whose slot stands still for longer, is not ready."""

_ROLES = {"leading": "leader", "standby": "standby", "starting": "starting", "reconnecting": "reconnecting"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the database: the last look or the error instead, and for how long the slot has stood."""

    observation: Observation | None
    error: str | None
    still_seconds: float


def judge(parts: Collection[str], progress: Progress | None, seen: Seen, now: float) -> Readiness:
    """Say whether a process that runs these parts is ready; `progress` is None where capture is none of them.

    A standby is ready: it leads as soon as nobody else does. now: Unix seconds.
    """
    reasons = [] if seen.observation else [f"database: {seen.error or 'not looked at yet'}"]
    said: dict[str, Any] = {"role": "none", "parts": sorted(parts), "lag_seconds": None}
    if progress is not None:
        reasons += _capture_faults(progress, seen, now)
        lag = progress.lag_seconds(now)
        said |= {"role": _ROLES[progress.state], "lag_seconds": None if lag is None else round(lag, 3)}
    said["slot"] = seen.observation and _slot(seen.observation, seen.still_seconds)
    return Readiness(not reasons, {"status": "not ready" if reasons else "ready", "reasons": reasons} | said)


def _capture_faults(progress: Progress, seen: Seen, now: float) -> list[str]:
    if progress.state == "standby":
        return []
    if not progress.leads:
        return [f"capture: {progress.state}" + (f": {progress.reason}" if progress.reason else "")]
    faults = []
    if seen.observation and min(seen.still_seconds, now - progress.since) > LATE_SECONDS:
        waits = f"; {progress.waiting} commits are not visible yet" if progress.waiting else ""
        faults.append(f"slot: it has stood still for {seen.still_seconds:.0f} s{waits}")
    lag = progress.lag_seconds(now)
    if lag is not None and lag > LATE_SECONDS:
        faults.append(f"lag: changes come {lag:.0f} s late")
    return faults


def _slot(seen: Observation, still_seconds: float) -> dict[str, Any]:
    return {
        "name": seen.slot_name,
        "streamed": seen.slot.active_pid is not None,
        "lost": seen.slot.lost or not seen.slot.exists,
        "confirmed_lag_bytes": seen.confirmed_lag,
        "restart_lag_bytes": seen.restart_lag,
        "still_seconds": round(still_seconds, 1),
    }
