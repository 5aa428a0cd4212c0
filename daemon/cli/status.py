"""`roomwire status`: one look at everything, once or again and again."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
import typer
from psycopg import AsyncConnection

from daemon.cli.running import database
from daemon.observation import Observation, observe
from daemon.progress import BEAT_SECONDS
from daemon.replication.errors import ReplicationError
from daemon.settings import Settings
from sql import documents, replay, watch
from sql.replay import Replay
from sql.watch import Failure, Holder, Refused

_MOST_REFUSED = 5
_BETWEEN_LOOKS = 2.0
_MEASURED_OVER = 0.5
_SHARE = 10
"""A look that takes long is repeated less often, so that looking costs at most a tenth of a session."""


@dataclass(frozen=True, slots=True)
class Status:
    """One look.

    documents: kind → how many live; keys_per_second: of durable work, None where it is not known; replays: those
    that do not stand in the queue whole.
    """

    seen: Observation
    holder: Holder | None
    keys_left: int
    keys_per_second: float | None
    documents: dict[str, int]
    failures: list[Failure]
    refused: list[Refused]
    replays: list[Replay] = field(default_factory=list)

    @property
    def lag_seconds(self) -> float | None:
        """How late changes are confirmed; None while nobody streams the slot.

        It is the server's own measure, or the time since the checkpoint should have moved.
        """
        if self.seen.sender is None:
            return None
        overdue = (self.seen.checkpoint_age or 0.0) - BEAT_SECONDS - 1.0
        return max(self.seen.sender.lag_seconds or 0.0, overdue, 0.0)

    @property
    def seconds_left(self) -> float | None:
        """How long the durable work will take at its present pace; None where it has none."""
        return self.keys_left / self.keys_per_second if self.keys_per_second else None


async def gather(settings: Settings) -> Status:
    """Look once; where durable work is under way twice, to see how fast it goes."""
    async with database(settings) as conn:
        first = await _look(conn, settings, None)
        if not first.keys_left:
            return first
        await asyncio.sleep(_MEASURED_OVER)
        return await _look(conn, settings, first)


async def show(settings: Settings, written: Callable[[Status], str]) -> None:
    """Print the status every two seconds until cancelled; `written` puts it into words.

    A database that is away is waited for.
    """
    while True:
        try:
            async with database(settings) as conn:
                before = None
                while True:
                    before, took = await _timed_look(conn, settings, before)
                    _repaint(written(before))
                    await asyncio.sleep(max(_BETWEEN_LOOKS, _SHARE * took))
        except (psycopg.Error, ReplicationError) as error:
            typer.secho(" ".join(str(error).split()), err=True, fg="red")
        await asyncio.sleep(_BETWEEN_LOOKS)


async def _timed_look(conn: AsyncConnection, settings: Settings, before: Status | None) -> tuple[Status, float]:
    loop = asyncio.get_running_loop()
    started = loop.time()
    return await _look(conn, settings, before), loop.time() - started


async def _look(conn: AsyncConnection, settings: Settings, before: Status | None) -> Status:
    seen = await observe(conn, settings.slot)
    left = await watch.keys_left(conn)
    pace = None
    if before is not None and left < before.keys_left:
        pace = (before.keys_left - left) / (seen.now - before.seen.now).total_seconds()
    return Status(
        seen=seen,
        holder=await watch.holder(conn),
        keys_left=left,
        keys_per_second=pace,
        documents=await documents.counts(conn),
        failures=await watch.failures(conn),
        refused=await watch.refused(conn, _MOST_REFUSED),
        replays=await replay.replays(conn, open_only=True),
    )


def _repaint(text: str) -> None:
    if sys.stdout.isatty():
        lines = "".join(f"{line}\x1b[K\n" for line in text.splitlines())
        text = f"\x1b[H{lines}\x1b[J"
    typer.echo(text, nl=not sys.stdout.isatty())
