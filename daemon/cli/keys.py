"""The commands for API keys: create, list, rotate, revoke, secret."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from api.access import issue
from api.access.scopes import SCOPES
from daemon.cli import running
from outbox.secrets import new_secret_key
from sql import access
from sql.access import KeyOverview

app = typer.Typer(no_args_is_help=True, help="Keys that booking engines call the API with.")

Id = Annotated[str, typer.Argument(help="The key's id, as `roomwire key list` shows it.")]
Days = Annotated[float | None, typer.Option(help="Days until the new key expires; never without it.", min=0.001)]


@app.command()
def create(
    client: Annotated[
        str, typer.Argument(help="The booking engine's name, the same for all of its keys.", metavar="CLIENT")
    ],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help=f"What it may do: {', '.join(SCOPES)}; repeatable. Default: read.")
    ] = None,
    hotel: Annotated[list[int] | None, typer.Option(help="Only this hotel; repeatable.")] = None,
    address: Annotated[
        list[str] | None, typer.Option(help="Only from this address or CIDR range; repeatable.")
    ] = None,
    requests_per_minute: Annotated[
        int, typer.Option(help="How many requests it may make in a minute.")
    ] = issue.REQUESTS_PER_MINUTE,
    days: Days = None,
) -> None:
    """Make a key. It is shown only now."""
    try:
        wanted = issue.Wanted(
            client=client,
            scopes=scope or ["read"],
            hotels=hotel or None,
            addresses=address or None,
            requests_per_minute=requests_per_minute,
            lifetime=_lifetime(days),
        )
    except issue.IssueError as error:
        running.fail(f"{error}.")
    made = running.ask(lambda conn: issue.create(conn, wanted))
    typer.echo(f"Made key {made.id} for {client}, shown only now: {made.text}")


@app.command("list")
def list_() -> None:
    """List the keys, with when they were used last."""
    rows = running.ask(access.keys)
    if not rows:
        typer.echo("There is no key yet: roomwire key create CLIENT")
    for row in rows:
        typer.echo(describe(row, datetime.now(UTC)))


@app.command()
def rotate(
    key_id: Id,
    *,
    overlap_hours: Annotated[
        float, typer.Option(help="Hours that the old key still works.", min=0)
    ] = issue.OVERLAP.total_seconds() / 3600,
    days: Days = None,
) -> None:
    """Make a key that may do what another may, and let that one expire."""
    made, ends_at = running.ask(
        lambda conn: issue.rotate(conn, key_id, overlap=timedelta(hours=overlap_hours), lifetime=_lifetime(days))
    )
    typer.echo(f"Made key {made.id}, shown only now: {made.text}")
    typer.echo(f"{key_id} works until {ends_at.astimezone():%Y-%m-%d %H:%M %Z}.")


@app.command()
def revoke(key_id: Id) -> None:
    """Refuse a key and the tokens made with it, within a few seconds."""
    running.ask(lambda conn: issue.revoke(conn, key_id))
    typer.echo(f"Revoked {key_id}.")


@app.command()
def secret() -> None:
    """Print a new secret key for ROOMWIRE_SECRET_KEYS."""
    typer.echo(new_secret_key())


def describe(row: KeyOverview, now: datetime) -> str:
    """One key in a line."""
    if row.revoked_at is not None:
        state = f"revoked {row.revoked_at:%Y-%m-%d}"
    elif row.expires_at is not None:
        state = f"{'expired' if row.expires_at <= now else 'until'} {row.expires_at:%Y-%m-%d %H:%M} UTC"
    else:
        state = "valid"
    used = f"used {row.last_used_at:%Y-%m-%d %H:%M} UTC" if row.last_used_at else "never used"
    hotels = "all hotels" if row.hotels is None else f"hotels {', '.join(map(str, row.hotels))}"
    origin = f", from {', '.join(row.addresses)}" if row.addresses is not None else ""
    scopes = ", ".join(row.scopes)
    return f"{row.id}  {row.client}  {scopes}; {hotels}{origin}; {row.requests_per_minute}/min  {state}, {used}"


def _lifetime(days: float | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)
