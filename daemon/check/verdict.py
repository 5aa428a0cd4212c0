"""What a check concludes."""

from dataclasses import dataclass
from enum import IntEnum

from daemon.replication.errors import ReplicationError


class Level(IntEnum):
    """How bad it is; also the exit code of `roomwire check`, for the worst of all."""

    ok = 0
    warning = 1
    wrong = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """says: what is, without a full stop; remedy: what to do, in sentences, empty where nothing need be done."""

    level: Level
    says: str
    remedy: str = ""


def ok(says: str) -> Verdict:
    """It is as it should be."""
    return Verdict(Level.ok, says)


def warning(says: str, remedy: str) -> Verdict:
    """It works, and may not for ever; or it heals by itself."""
    return Verdict(Level.warning, says, remedy)


def wrong(says: str, remedy: str) -> Verdict:
    """It does not work."""
    return Verdict(Level.wrong, says, remedy)


def failed(error: ReplicationError) -> Verdict:
    """Wrong for a reason that replication has words for: whoever meets it while running says the same."""
    return wrong(str(error.args[0]), error.remedy)


def size(amount: float) -> str:
    """Bytes for a person: 512 bytes, 3.4 MB, 16 GB."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if amount >= 10 or units[0] == "bytes" else f"{amount:.1f} {units[0]}"


def span(seconds: float) -> str:
    """Seconds for a person: 40 s, 12 min, 5.5 h, 3 days."""
    for limit, length, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:,.0f} days"
