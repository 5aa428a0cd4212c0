"""Progress of durable work on a terminal."""

import asyncio
import sys

import typer

from daemon.cli.running import database
from daemon.settings import Settings
from sql import scopes
from sql.scopes import Work

_BETWEEN_LOOKS = 0.5
_UNATTENDED_LOOKS = 20


async def show_resync(settings: Settings, got: str) -> None:
    """Show durable work until none is left; gives up where nobody does it. got: what endpoints get by it."""
    idle, before = 0, ""
    async with database(settings) as conn:
        while work := await scopes.listed(conn):
            line = describe(work)
            idle = idle + 1 if line == before else 0
            if idle > _UNATTENDED_LOOKS:
                typer.echo("\nNobody works on it: it stays on the list, and begins when `roomwire run` leads.")
                return
            if line != before:
                overwrite(line)
            before = line
            await asyncio.sleep(_BETWEEN_LOOKS)
    overwrite(f"Done: every document is compared; endpoints get {got}.\n")


def describe(work: list[Work]) -> str:
    """What is under way and what waits, in one line."""
    current = next((w for w in work if w.cursor is not None), work[0])
    hotel = "every hotel" if current.hotel_id is None else f"hotel {current.hotel_id}"
    share = f"{current.done:,} of {current.total:,}" if current.total else "begins"
    waiting = f", {len(work) - 1} more to do" if len(work) > 1 else ""
    return f"{current.kind} of {hotel}: {share}{waiting}"


def overwrite(line: str) -> None:
    """Show a line in place of the last one, where this is a terminal."""
    typer.echo(f"\r\x1b[K{line}" if sys.stdout.isatty() else line, nl=not sys.stdout.isatty())
