"""`roomwire check`: looks at everything that Roomwire needs, and shows it."""

import psycopg

from daemon.check.catalogue import Finding, judge
from daemon.check.gather import gather
from daemon.check.verdict import Level
from daemon.cli.running import database
from daemon.replication.errors import ReplicationError
from daemon.settings import Settings

UNREACHABLE = (
    "See that the server runs, that ROOMWIRE_DSN names it, that `roomwire setup` has made the role, and that"
    " pg_hba.conf lets it in."
)
CUT_OFF = "Run `roomwire check` again."


async def run_check(settings: Settings, *, measure_seconds: float = 1.0) -> list[Finding]:
    """Everything that the checks find; one finding where the server cannot be asked."""
    reached = False
    try:
        async with database(settings) as conn:
            reached = True
            return judge(await gather(conn, settings, measure_seconds=measure_seconds))
    except (psycopg.Error, ReplicationError) as error:
        says = str(error).partition("\n")[0].rstrip(".")
        return [Finding("connection", Level.wrong, says, CUT_OFF if reached else UNREACHABLE)]
