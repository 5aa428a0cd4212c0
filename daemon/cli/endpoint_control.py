"""The commands for endpoints that are there: test, show, change, pause, resume."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection

from daemon.check.verdict import span
from daemon.cli import running
from daemon.cli.endpoints import Authority, Bookings, Headers, Name, shown, wired
from daemon.cli.replay import described
from outbox import changing, endpoints
from outbox.changing import Changed
from outbox.delivery.outbound import Outbound
from outbox.endpoints import UnknownEndpointError
from outbox.settings import TYPES
from sql import control, replay
from sql.control import Change
from sql.delivery import Attempt
from sql.endpoints import Overview
from sql.replay import Replay

ALL = "all"
_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    for command in (test, show, change, pause, resume):
        app.command()(command)


def test(name: Name) -> None:
    """Send an endpoint a test message, as deliveries would, and show what comes of it. Exit code 1: not taken."""
    from outbox.delivery import trial  # noqa: PLC0415  # it imports an HTTP client, which takes its time

    async def work(conn: AsyncConnection, outbound: Outbound) -> Attempt:
        target = await trial.find(conn, name)
        if target is None:
            raise UnknownEndpointError(name)
        sent = await trial.send(target, outbound)
        await trial.note(conn, target, sent)
        return sent.attempt

    attempt = running.send(work)
    came = f"answered {attempt.status}" if attempt.status else f"did not answer: {attempt.error}"
    typer.echo(f"{name} {came}  ({attempt.latency_ms} ms, {attempt.webhook_id})")
    if attempt.answer:
        typer.echo(f"    {' '.join(attempt.answer.split())}")
    if attempt.outcome != "delivered":
        running.fail(f"Not delivered: {_MEANINGS.get(attempt.outcome, attempt.outcome)}.")


_MEANINGS = {
    "rejected": "it takes no such message; see that it verifies with the right secret",
    "throttled": "it asks for a pause",
    "gone": "it says that it wants nothing more; a delivery would disable it",
    "outage": "a delivery would be tried again until it answers 2xx",
    "forbidden": "nothing may be sent to its address; see ROOMWIRE_ALLOWED_NETWORKS",
}


def show(name: Name) -> None:
    """Show an endpoint: how it is set up, how it does and has done lately, and what it is being sent again."""

    async def look(conn: AsyncConnection) -> tuple[Overview | None, list[Replay], list[Change]]:
        row = next(iter(await endpoints.overview(conn, name)), None)
        replays = [one for one in await replay.replays(conn, open_only=True) if one.endpoint == name]
        return row, replays, await control.changes(conn, row.id, _SHOWN) if row else []

    row, replays, changes = running.ask(look)
    if row is None:
        running.fail(f"There is no endpoint named {name!r}; `roomwire endpoint list` shows them.")
    typer.echo("\n".join([*_lines(row, datetime.now(UTC)), *map(_replayed, replays), *map(_changed, changes)]))


def change(
    name: Name,
    *,
    url: Annotated[str | None, typer.Option(help="Where its webhooks are received.")] = None,
    ca: Authority = None,
    header: Headers = None,
    hotel: Annotated[
        list[str] | None, typer.Option(help="Only this hotel; repeatable. `all` for every one.")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help=f"Only of this: {', '.join(TYPES)}; repeatable. `all` for every one."),
    ] = None,
    bookings: Annotated[
        Bookings | None, typer.Option(help="Which it hears of; `own` are those made through the API.")
    ] = None,
    guest_data: Annotated[bool | None, typer.Option(help="Whether it may know guests' names and contacts.")] = None,
    max_bytes: Annotated[int | None, typer.Option(help="Size of a message of many keys, in bytes.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Messages on their way at the same time.")] = None,
    rate_per_second: Annotated[
        float | None, typer.Option(help="Messages a second at most; 0 for no limit.")
    ] = None,
    heartbeat_seconds: Annotated[int | None, typer.Option(help="Seconds between heartbeats; 0 for none.")] = None,
) -> None:
    """Change an endpoint. What it is told of more is sent like a first sync; nothing else is sent again."""
    given = {
        "url": url,
        "bookings": bookings and bookings.value,
        "guest_data": guest_data,
        "max_bytes": max_bytes,
        "concurrency": concurrency,
        "rate_per_second": rate_per_second,
        "heartbeat_seconds": heartbeat_seconds,
    }
    wishes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    wishes |= wired(ca, header)
    if hotel:
        wishes["hotels"] = None if hotel == [ALL] else [_hotel(one) for one in hotel]
    if type_:
        wishes["types"] = None if type_ == [ALL] else type_
    if not wishes:
        running.fail("Say what to change: `roomwire endpoint change --help` shows what can be.")
    typer.echo(_said(name, running.send(lambda conn, outbound: changing.change(conn, name, wishes, outbound))))
    if url:
        typer.echo(
            f"It signs with the secret it had: `roomwire endpoint rotate {name}` if somebody else receives now."
        )


def pause(
    name: Name, reason: Annotated[str, typer.Option(help="Why, for whoever asks.")] = "by its operator"
) -> None:
    """Send an endpoint nothing until it is resumed. What it misses is noted, and sent then."""
    if not running.ask(lambda conn: control.pause(conn, name, reason)):
        _none(name)
    typer.echo(f"Paused {name}. `roomwire endpoint resume {name}` sends it the newest of what it missed.")


def resume(name: Name) -> None:
    """Send to an endpoint again, at once: also to one that does not answer and waits for its next try."""
    if not running.ask(lambda conn: control.resume(conn, name)):
        _none(name)
    typer.echo(f"Resumed {name}.")


def _none(name: str) -> None:
    running.fail(
        f"There is no endpoint named {name!r}, or it is disabled: `roomwire endpoint list` shows them, and"
        " `roomwire endpoint enable` sends one everything again."
    )


def _hotel(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        running.fail(f"{text!r} is no hotel's id; `--hotel all`, alone, is every hotel.")
    return int(text)


def _said(name: str, changed: Changed) -> str:
    lines = [f"Changed {name}."]
    if changed.widened:
        lines.append(
            "What it is told of more is sent like a first sync; `roomwire replay list` shows how far it is."
        )
    if changed.withdrawn:
        lines.append(f"{changed.withdrawn:,} keys that waited for it are not sent any more.")
    if changed.endpoint.status == "disabled":
        lines.append("It is disabled: enabling it sends everything.")
    return "\n".join(lines)


def _lines(row: Overview, now: datetime) -> list[str]:
    hotels = "all" if row.hotels is None else ", ".join(map(str, row.hotels))
    guests = "with guest data" if row.guest_data else "without guest data"
    rate = f", {row.rate_per_second:g} a second" if row.rate_per_second else ""
    beats = f"every {row.heartbeat_seconds} s" if row.heartbeat_seconds else "none"
    return [
        f"{row.name}  {row.status}" + (f": {row.reason}" if row.reason else ""),
        f"  url         {shown(row.url)}",
        f"  format      {row.format}",
        *_wiring(row, now),
        f"  hotels      {hotels}",
        f"  types       {', '.join(row.types) if row.types else 'all'}",
        f"  bookings    {row.bookings}, {guests}",
        f"  messages    {row.concurrency} at a time, {row.max_bytes:,} bytes at most{rate}; heartbeats {beats}",
        f"  behind      {_behind(row, now)}",
        f"  last taken  {_ago(row.last_success_at, now)}",
        *_failing(row, now),
    ]


def _wiring(row: Overview, now: datetime) -> list[str]:
    """How it is signed for and reached, where there is something to know of that is no secret."""
    lines = []
    if row.public_key:
        lines.append(f"  public key  {row.public_key}")
    if row.old_secret_until and row.old_secret_until > now:
        lines.append(f"  rotating    the secret before signs too until {row.old_secret_until:%Y-%m-%d %H:%M} UTC")
    if row.ca:
        lines.append("  authority   its own, in place of the system's")
    if row.headers:
        lines.append(f"  headers     {', '.join(row.headers)}")
    return lines


def _changed(change: Change) -> str:
    why = f": {change.reason}" if change.reason else ""
    return f"  {change.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC  {change.before} → {change.status}{why}"


def _behind(row: Overview, now: datetime) -> str:
    if row.filling:
        return "on everything: its first sync begins"
    if not row.behind:
        return "on nothing"
    oldest = f", the oldest for {_ago(row.oldest, now).removesuffix(' ago')}" if row.oldest else ""
    refused = f", {row.rejected:,} of them refused" if row.rejected else ""
    return f"on {row.lacks}{oldest}{refused}; `roomwire delivery list --endpoint {row.name}` shows them"


def _failing(row: Overview, now: datetime) -> list[str]:
    if not row.failures:
        return []
    again = f", next try in {span(max((row.retry_at - now).total_seconds(), 0))}" if row.retry_at else ""
    return [f"  failing     {row.failures} times in a row{again}: {row.last_error}"]


def _replayed(row: Replay) -> str:
    total = "?" if row.total is None else f"{row.total:,}"
    return f"  replay {row.id}    {described(row)}: {row.marked:,} of {total} documents queued ({row.reason})"


def _ago(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{span(max((now - at).total_seconds(), 0.0))} ago"
