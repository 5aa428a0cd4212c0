"""Checks of time: clocks, the hotels' time zone, and what makes changes late."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.check.facts import Essentials, Facts
from daemon.check.verdict import Verdict, ok, span, warning, wrong

ZONE_UNKNOWN = "Install the server's time zone data (package tzdata), or choose a ROOMWIRE_TIME_ZONE that it knows."
ZONE_OTHER = "Bring the time zone data of both machines up to date (package tzdata)."
SKEW = "Let both machines follow a time server (chrony, systemd-timesyncd)."
LONG = "End it if nobody needs it: SELECT pg_terminate_backend({name})."
LONG_PREPARED = "End it if nobody needs it: ROLLBACK PREPARED '{name}'."
HIDDEN = "To see since when: GRANT pg_read_all_stats TO {role}."
SYNCHRONOUS = "Keep that standby up, or name several with ANY 1 (…): then one may be away."

LONG_SECONDS: Final = 300.0
_SKEW_LATE: Final = 2.0
# Receivers refuse signatures that are five minutes off; the rest is theirs to be wrong by.
_SKEW_REFUSED: Final = 120.0


def time_zone(facts: Essentials) -> Verdict:
    """The server knows the hotels' time zone, and means the same by it as we do."""
    name = facts.settings.time_zone
    if facts.clock is None:
        return wrong(f"The server does not know the time zone {name}", ZONE_UNKNOWN)
    offset = datetime.fromtimestamp(facts.clock.now, ZoneInfo(name)).utcoffset() or timedelta()
    if offset != timedelta(seconds=facts.clock.zone_offset):
        return warning(
            f"{name} is {timedelta(seconds=facts.clock.zone_offset)} from UTC there, {offset} here", ZONE_OTHER
        )
    return ok(f"The hotels' day begins in {name}")


def skew(facts: Facts) -> Verdict:
    """The server's clock and ours agree: versions and lags take the server's, signatures ours."""
    if facts.skew is None:
        return ok("The server's clock was not read")
    off = max(0.0, abs(facts.skew) - facts.skew_error)
    said = f"The server's clock is {abs(facts.skew):.1f} s {'ahead of' if facts.skew > 0 else 'behind'} ours"
    if off >= _SKEW_REFUSED:
        return wrong(f"{said}: engines may refuse what is signed by a clock that is minutes off", SKEW)
    if off >= _SKEW_LATE:
        return warning(f"{said}: lags are shown wrong by as much", SKEW)
    return ok("The server's clock and ours agree")


def transactions(facts: Facts) -> Verdict:
    """No transaction is open for long: it keeps a slot from being made, and the log from being dropped."""
    long = [found for found in facts.transactions if found.age is not None]
    if long:
        name, by, age = long[0].name, long[0].by, long[0].age or 0.0
        more = f", and {len(long) - 1} more" if len(long) > 1 else ""
        remedy = LONG if name.isdecimal() else LONG_PREPARED
        return warning(f"Transaction {name} ({by}) has been open for {span(age)}{more}", remedy.format(name=name))
    if facts.transactions:
        return warning(
            f"{len(facts.transactions)} open transactions of others do not show since when",
            HIDDEN.format(role=facts.essentials.server.role),
        )
    return ok(f"No transaction has been open for more than {span(LONG_SECONDS)}")


def synchronous(facts: Facts) -> Verdict:
    """No standby has to confirm commits: others see a commit, and so do we, only after it has."""
    names = facts.room.synchronous
    if names:
        return warning(
            f"Commits wait for a standby ({names}): while it is away nothing new is seen, and the log is kept",
            SYNCHRONOUS,
        )
    return ok("Commits wait for no standby")
