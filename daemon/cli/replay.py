"""`roomwire replay`: send an endpoint again what it was sent before."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from psycopg import AsyncConnection

from daemon.cli import running
from daemon.cli.progress import overwrite
from outbox import replay
from outbox.settings import TYPES, EndpointError
from sql import replay as jobs
from sql.replay import Replay, Scope

app = typer.Typer(invoke_without_command=True)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_BETWEEN_LOOKS = 0.5
_UNATTENDED_LOOKS = 20


@app.callback()
def start(
    context: typer.Context,
    *,
    endpoint: Annotated[str | None, typer.Option(help="Which endpoint.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only what has changed since: 90m, 24h, 7d, or a time such as 2026-11-23T14:00."),
    ] = None,
    hotel: Annotated[list[int] | None, typer.Option(help="Only this hotel; repeatable.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=f"Only {', '.join(TYPES)}; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and send nothing.")] = False,
    wait: Annotated[bool, typer.Option(help="Show progress until all of it stands in the queue.")] = True,
) -> None:
    """Send an endpoint again what it was sent before: after it lost data, or was restored from a copy.

    Without --since it gets the newest of everything, and at the end which ids exist: the rest is gone. With it only
    what has changed since then, deletions too: take a time well before the copy was made.
    """
    if context.invoked_subcommand:
        return
    if endpoint is None:
        running.fail("Name the endpoint: roomwire replay --endpoint NAME")
    try:
        wanted = replay.scope(hotel, kind, _time(since))
    except EndpointError as error:
        running.fail(f"{error}.")
    if dry_run:
        typer.echo(counted(endpoint, running.ask(lambda conn: replay.count(conn, endpoint, wanted))))
        return
    running.ask(lambda conn: _run(conn, endpoint, wanted, wait=wait))


@app.command("list")
def list_(most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20) -> None:
    """List replays of the last 30 days, newest first."""
    rows = running.ask(lambda conn: jobs.replays(conn, most=most))
    typer.echo("\n".join(map(describe, rows)) or "There is no replay: roomwire replay --endpoint NAME")


async def _run(conn: AsyncConnection, endpoint: str, wanted: Scope, *, wait: bool) -> None:
    row = await replay.start(conn, endpoint, wanted, reason="asked for by an operator")
    idle, before = 0, ""
    while True:
        line = describe(row)
        if line != before:
            overwrite(line)
        idle, before = (idle + 1 if line == before else 0), line
        if row.finished_at is not None:
            typer.echo("\nAll of it is sent from now on; `roomwire endpoint list` shows what is left.")
            return
        if not wait or idle > _UNATTENDED_LOOKS:
            typer.echo("\nIt begins when `roomwire run` delivers; `roomwire replay list` shows how far it is.")
            return
        await asyncio.sleep(_BETWEEN_LOOKS)
        (row,) = await jobs.replays(conn, replay_id=row.id)


def describe(row: Replay) -> str:
    """One replay in a line."""
    total = "?" if row.total is None else f"{row.total:,}"
    if row.note:
        state = f"ended: {row.note}"
    elif row.finished_at is not None:
        state = f"all {row.marked:,} documents queued by {row.finished_at:%Y-%m-%d %H:%M:%S} UTC"
    else:
        state = f"{row.marked:,} of {total} documents queued"
    return f"replay {row.id} to {row.endpoint}, {described(row)}: {state}  ({row.reason})"


def described(row: Replay) -> str:
    """What it sends."""
    kinds = ", ".join(row.kinds) if row.kinds else "everything"
    hotels = f" of hotel {', '.join(map(str, row.hotels))}" if row.hotels else ""
    since = f" since {row.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if row.since else ""
    return f"{kinds}{hotels}{since}"


def counted(endpoint: str, counts: Mapping[str, int]) -> str:
    """What a replay would send."""
    parts = ", ".join(f"{counts[kind]:,} {kind}" for kind in TYPES if counts.get(kind))
    more = " or more" if jobs.total(counts) is None else ""
    return f"{endpoint} would be sent {sum(counts.values()):,} documents{more}" + (f": {parts}" if parts else "")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise EndpointError(f"{text!r} is no time, such as 2026-11-23T14:00, and no span, such as 24h") from None
