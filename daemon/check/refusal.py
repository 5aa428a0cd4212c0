"""What keeps `roomwire run` from leading: what could not work, or would lose changes. All else it waits for."""

import psycopg
from psycopg import AsyncConnection

from daemon.check.catalogue import Finding, judge_essentials
from daemon.check.gather import gather_essentials
from daemon.check.verdict import Level
from daemon.replication.errors import ReplicationError
from daemon.replication.failures import command_failed
from daemon.settings import Settings


class RefusedError(ReplicationError):
    """Something essential is wrong; the text says what `roomwire check` says, with the remedies."""

    remedy = "`roomwire check` shows all that was looked at."

    def __init__(self, wrong: list[Finding]) -> None:
        super().__init__(" ".join(f"{finding.says}. {finding.remedy}" for finding in wrong).removesuffix("."))


async def refuse_if_wrong(conn: AsyncConnection, settings: Settings) -> None:
    """Look at the essentials.

    Raises:
        RefusedError: one is wrong.
        ReplicationError: the server cannot be asked.
    """
    try:
        facts = await gather_essentials(conn, settings)
    except psycopg.Error as error:
        raise command_failed(error) from error
    wrong = [finding for finding in judge_essentials(facts) if finding.level is Level.wrong]
    if wrong:
        raise RefusedError(wrong)
