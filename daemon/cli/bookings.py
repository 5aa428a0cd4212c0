"""`roomwire bookings`: those that came to us and did not go through, and why."""

import json as json_format
from datetime import datetime
from typing import Annotated, get_args

import typer

from daemon.cli import running
from sql import sync
from sql.sync import Fare, Status


def bookings(
    *,
    status: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(get_args(Status))}.")] = None,
    hotel: Annotated[int | None, typer.Option(help="Only this hotel.")] = None,
    most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """List bookings from the API that did not go through, or whose last change was refused; the newest first."""
    if status not in {None, *get_args(Status)}:
        running.fail(f"There is no status {status}; they are {', '.join(get_args(Status))}.")
    found = running.ask(lambda conn: sync.listed(conn, most + 1, hotel=hotel, status=status))
    for one in found[:most]:
        typer.echo(json_format.dumps(one._asdict(), default=datetime.isoformat) if json else _line(one))
    if not found and not json:
        typer.echo("Every booking went through.")
    if len(found) > most and not json:
        typer.echo(f"… and more: `--most {10 * most}` shows them.")


def _line(one: Fare) -> str:
    what = f"booking {one.booking_id}" if one.booking_id else "not booked"
    why = f": {one.error}" if one.error else ""
    tried = f", tried again {one.retries} times" if one.retries else ""
    when = f"{one.last_attempt_at:%Y-%m-%d %H:%M:%S}"
    return f"{when}  {one.status}  hotel {one.hotel_id}  {one.source} {one.external_id}  {what}{why}{tried}"
