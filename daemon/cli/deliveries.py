"""The commands for deliveries: list, show, retry, skip."""

import json
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from daemon.check.verdict import span
from daemon.cli import running
from outbox import deliveries, keys
from outbox.deliveries import Story
from outbox.keys import Key
from sql import ledger
from sql.ledger import Author, Choice, Told, Tried, Waiting

app = typer.Typer(no_args_is_help=True, help="What endpoints lack, and what became of it.")

_UNSAID = {"name", "section", "at", "queued"}
Endpoint = Annotated[str | None, typer.Option(help="Only this endpoint.")]
Hotel = Annotated[int | None, typer.Option(help="Only this hotel.")]
Keys = Annotated[list[str] | None, typer.Argument(help="Keys, as `delivery list` shows them.", metavar="KEY…")]


@app.command("list")
def list_(
    *,
    endpoint: Endpoint = None,
    hotel: Hotel = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only what is refused for good.")] = False,
    most: Annotated[int, typer.Option(help="How many keys at most.", min=1)] = 50,
    json_: Annotated[bool, typer.Option("--json", help="A line of JSON for each key.")] = False,
) -> None:
    """List the keys that endpoints lack the newest version of: what is refused, what failed, what waits longest."""
    choice = Choice(endpoint=endpoint, hotel=hotel, rejected=rejected)
    found = running.ask(lambda conn: ledger.waiting(conn, choice, most + 1))
    for row in found[:most]:
        typer.echo(as_json(row) if json_ else describe(row, datetime.now(UTC)))
    if not found and not json_:
        typer.echo("Nothing is refused." if rejected else "Nothing is behind.")
    if len(found) > most and not json_:
        typer.echo(f"… and more: `--most {10 * most}` shows them.")


@app.command()
def show(what: Annotated[str, typer.Argument(help="A key, or a webhook-id: msg_….", metavar="KEY|ID")]) -> None:
    """Show what became of a key or a message: its version, who has it, and the sends of it."""
    if what.startswith("msg_"):
        tried = running.ask(lambda conn: ledger.attempts(conn, webhook_ids=[what]))
        typer.echo("\n".join(map(_attempt, tried)) or "No send of the last fourteen days has this id.")
        return
    key = _key(what)
    typer.echo(_told(running.ask(lambda conn: deliveries.story(conn, key)), datetime.now(UTC)))


@app.command()
def retry(which: Keys = None, *, endpoint: Endpoint = None, hotel: Hotel = None) -> None:
    """Send again at once what was refused, or waits for its next try."""
    if not which and endpoint is None and hotel is None:
        running.fail("Say what to try again: keys, --endpoint or --hotel.")
    choice = Choice(endpoint=endpoint, hotel=hotel, keys=[_key(one) for one in which] if which else None)
    count = running.ask(lambda conn: ledger.retry(conn, choice))
    typer.echo(f"Tried again: {count:,}." if count else "Nothing was refused, and nothing waits for a try.")


@app.command()
def skip(
    which: Keys = None,
    *,
    endpoint: Annotated[str, typer.Option(help="The endpoint that shall go without.")],
    rejected: Annotated[bool, typer.Option("--rejected", help="All that it has refused for good.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit log.")] = None,
) -> None:
    """Take keys for delivered as they are now. Their next change is sent again; the audit log keeps who skipped."""
    if not which and not rejected:
        running.fail("Say what to skip: keys, or --rejected.")
    keys_ = [_key(one) for one in which] if which else None
    choice = Choice(endpoint=endpoint, rejected=rejected, keys=keys_)
    author = Author("operator", f"cli-{uuid4()}")
    count = running.ask(lambda conn: ledger.skip(conn, choice, author, reason))
    if not count:
        running.fail(f"{endpoint} lacks none of that: `roomwire delivery list` shows what it lacks.")
    typer.echo(f"Skipped {count:,} keys: {endpoint} goes without until they change.")


def describe(row: Waiting, now: datetime) -> str:
    """One key in a line."""
    return f"{row.name}  {keys.written(row.kind, row.hotel_id, row.id)}  {state(row, now)}"


def state(row: Waiting | Told, now: datetime) -> str:
    """How a key stands that an endpoint lacks the newest version of."""
    assert row.since is not None  # it lacks it
    lacking = f"behind for {_age(row.since, now)}"
    if row.rejected_at is not None:
        return f"REFUSED {_age(row.rejected_at, now)} ago, {row.tries} tries: {row.last_error}"
    if row.in_flight:
        return f"{lacking}, on its way"
    failed = f": {row.last_error}" if row.last_error else ""
    if row.not_before is not None and row.not_before > now:
        return f"{lacking}, next try in {_age(now, row.not_before)}{failed}"
    return f"{lacking}{failed}"


def as_json(row: Waiting) -> str:
    """One key for a program; times in ISO 8601."""
    fields = {name: getattr(row, name) for name in row.__dataclass_fields__ if name not in _UNSAID}
    said = {"endpoint": row.name, "key": keys.written(row.kind, row.hotel_id, row.id)} | fields
    return json.dumps(said, default=datetime.isoformat, ensure_ascii=False)


def _told(story: Story, now: datetime) -> str:
    document = story.document
    if document is None:
        lines = [f"{story.key}: there is no such document"]
    else:
        gone = ", gone" if document.body is None else ""
        when = f", committed {document.committed_at:%Y-%m-%d %H:%M:%S} UTC" if document.committed_at else ""
        lines = [f"{story.key}: version {document.version}{gone}{when}"]
    for one in story.told:
        if one.version is None:
            lines.append(f"  {one.name} ({one.status})  has it" if document else f"  {one.name} ({one.status})")
        else:
            has = f"has version {one.acked}" if one.acked else "has no version"
            lines.append(f"  {one.name} ({one.status})  {has}, {state(one, now)}")
    return "\n".join(lines + [f"    {_attempt(tried)}" for tried in story.tried])


def _attempt(tried: Tried) -> str:
    status = f" {tried.status}" if tried.status else ""
    said = " ".join((tried.answer or "").split())[:120]
    trouble = f": {tried.error}" if tried.error and not tried.status else ""
    return (
        f"{tried.at:%Y-%m-%d %H:%M:%S} UTC  {tried.name}  {tried.webhook_id}  {tried.type}"
        f"  {tried.outcome}{status} in {tried.latency_ms} ms{trouble}" + (f"  {said!r}" if said else "")
    )


def _key(text: str) -> Key:
    try:
        return keys.parse(text)
    except ValueError as error:
        running.fail(f"{error}.")


def _age(start: datetime, end: datetime) -> str:
    return span(max((end - start).total_seconds(), 0.0))
