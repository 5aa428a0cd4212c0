"""The commands for endpoints: add, list, enable, disable, remove."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar

import typer
from psycopg import AsyncConnection

from daemon.cli import running
from outbox import endpoints, signing
from sql.endpoints import Overview

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Booking engines that messages go to.")


class Bookings(StrEnum):
    """Which bookings an endpoint hears of: every one, or those that came from a booking engine of ours."""

    all = "all"
    own = "own"


Name = Annotated[str, typer.Argument(help="The endpoint's name.")]


@app.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Where its webhooks are received: http or https.")],
    *,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="ROOMWIRE_ENDPOINT_SECRET", help="Its signing secret, whsec_…; without it one is made."
        ),
    ] = None,
    hotel: Annotated[list[int] | None, typer.Option(help="Only this hotel; repeatable.")] = None,
    type_: Annotated[
        list[str] | None, typer.Option("--type", help=f"Only of this: {', '.join(endpoints.TYPES)}; repeatable.")
    ] = None,
    bookings: Annotated[Bookings, typer.Option(help="Which bookings it hears of.")] = Bookings.all,
    guest_data: Annotated[bool, typer.Option(help="Whether it may know guests' names and contacts.")] = False,
    max_bytes: Annotated[int, typer.Option(help="Size of a message of many keys, in bytes.")] = 20_000,
    concurrency: Annotated[int, typer.Option(help="Messages on their way at the same time.")] = 8,
    heartbeat_seconds: Annotated[int, typer.Option(help="Seconds between heartbeats; 0 for none.")] = 60,
) -> None:
    """Add an endpoint; it is sent everything, then every change."""
    try:
        wanted = endpoints.Settings(
            name=name,
            url=url,
            secret=secret or signing.new_secret(),
            hotels=hotel or None,
            types=type_ or None,
            bookings=bookings.value,
            guest_data=guest_data,
            max_bytes=max_bytes,
            concurrency=concurrency,
            heartbeat_seconds=heartbeat_seconds,
        )
    except endpoints.EndpointError as error:
        running.fail(f"{error}.")
    _change(lambda conn: endpoints.add(conn, wanted))
    typer.echo(f"Added {name}. Its first sync begins at once where `roomwire run` delivers.")
    if not secret:
        typer.echo(f"Its signing secret, shown only now: {wanted.secret}")


@app.command()
def enable(name: Name) -> None:
    """Enable an endpoint: it is sent everything, as a new one would be."""
    _change(lambda conn: endpoints.enable(conn, name))
    typer.echo(f"Enabled {name}; its first sync begins.")


@app.command()
def disable(name: Name) -> None:
    """Send an endpoint nothing more. What it misses is not noted: enabling it sends everything again."""
    _change(lambda conn: endpoints.disable(conn, name))
    typer.echo(f"Disabled {name}.")


@app.command()
def remove(name: Name) -> None:
    """Remove an endpoint."""
    _change(lambda conn: endpoints.remove(conn, name))
    typer.echo(f"Removed {name}.")


@app.command("list")
def list_() -> None:
    """List the endpoints with what they are behind on."""
    rows = _change(endpoints.overview)
    if not rows:
        typer.echo("There is no endpoint yet: roomwire endpoint add NAME URL")
    for row in rows:
        typer.echo(describe(row))


def describe(row: Overview) -> str:
    """One endpoint in a line or two, the way `endpoint list` and `status` show it."""
    state = "first sync begins" if row.filling else f"behind on {row.behind:,} keys" if row.behind else "up to date"
    if row.rejected:
        state += f", {row.rejected:,} of them refused"
    if row.status == "disabled":
        state = f"disabled: {row.reason}"
    elif row.status != "healthy":
        state = f"{row.status}: {row.reason}; {state}"
    hotels = "all hotels" if row.hotels is None else f"hotels {', '.join(map(str, row.hotels))}"
    line = f"{row.name}  {shown(row.url)}  {hotels}, {row.bookings} bookings  {state}"
    if row.failures:
        line += f"\n    {row.failures} failures in a row; {row.last_error}"
    return line


def shown(url: str) -> str:
    """An endpoint's address without its query, which may be a secret."""
    return url.partition("?")[0] + ("?…" if "?" in url else "")


def _change(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    found = running.settings()

    async def connected() -> T:
        async with running.database(found) as conn:
            return await work(conn)

    return running.run(connected())
