"""The commands for endpoints: add, list, enable, disable, remove."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon.cli import running
from outbox import endpoints, rotation, signing
from outbox.headers import read_headers
from outbox.settings import TYPES, EndpointError, Settings
from sql.endpoints import Overview

app = typer.Typer(no_args_is_help=True, help="Booking engines that messages go to.")


class Format(StrEnum):
    """How an endpoint is spoken to: signed messages, or calls of its own cache interface."""

    standard_webhooks = "standard-webhooks"
    cache_refresh = "cache-refresh"


class Sign(StrEnum):
    """How messages are signed."""

    hmac = "hmac"
    ed25519 = "ed25519"


class Bookings(StrEnum):
    """Which bookings an endpoint hears of: every one, or those that came from a booking engine of ours."""

    all = "all"
    own = "own"


Name = Annotated[str, typer.Argument(help="The endpoint's name.")]
Authority = Annotated[
    str | None,
    typer.Option(
        "--ca", help="PEM file of the only authority that its certificate may be of; `none`: the system's."
    ),
]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        help="'Name: value', sent with every message, or @FILE of such lines; repeatable. `none`, alone, for none.",
    ),
]


@app.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Where its webhooks are received: http or https.")],
    *,
    format_: Annotated[
        Format,
        typer.Option("--format", help="Signed messages, or calls that have an engine refresh its own caches."),
    ] = Format.standard_webhooks,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="ROOMWIRE_ENDPOINT_SECRET", help="Its signing secret, whsec_…; without it one is made."
        ),
    ] = None,
    sign: Annotated[Sign, typer.Option(help="By a shared secret, or by a key pair.")] = Sign.hmac,
    ca: Authority = None,
    header: Headers = None,
    hotel: Annotated[list[int] | None, typer.Option(help="Only this hotel; repeatable.")] = None,
    type_: Annotated[
        list[str] | None, typer.Option("--type", help=f"Only of this: {', '.join(TYPES)}; repeatable.")
    ] = None,
    bookings: Annotated[
        Bookings, typer.Option(help="Which it hears of; `own` are those made through the API.")
    ] = Bookings.all,
    guest_data: Annotated[bool, typer.Option(help="Whether it may know guests' names and contacts.")] = False,
    max_bytes: Annotated[int, typer.Option(help="Size of a message of many keys, in bytes.")] = 20_000,
    concurrency: Annotated[int, typer.Option(help="Messages on their way at the same time.")] = 8,
    rate_per_second: Annotated[float, typer.Option(help="Messages a second at most; 0 for no limit.")] = 0.0,
    heartbeat_seconds: Annotated[int, typer.Option(help="Seconds between heartbeats; 0 for none.")] = 60,
) -> None:
    """Add an endpoint; it is sent everything, then every change."""
    try:
        wanted = Settings(
            name=name,
            url=url,
            format=format_.value,
            secret=secret or signing.new_secret(sign.value),
            **wired(ca, header),
            hotels=hotel or None,
            types=type_ or None,
            bookings=bookings.value,
            guest_data=guest_data,
            max_bytes=max_bytes,
            concurrency=concurrency,
            rate_per_second=rate_per_second,
            heartbeat_seconds=heartbeat_seconds,
        )
    except EndpointError as error:
        running.fail(f"{error}.")
    running.send(lambda conn, outbound: endpoints.add(conn, wanted, outbound))
    typer.echo(f"Added {name}. Its first sync begins at once where `roomwire run` delivers.")
    if format_ is Format.standard_webhooks:
        _show(wanted.secret, chosen=bool(secret))


@app.command()
def rotate(
    name: Name,
    *,
    grace: Annotated[
        str, typer.Option(help="How long the secret before signs too: 24h, 90m, 2d; 0 for not at all.")
    ] = "24h",
    secret: Annotated[
        str | None,
        typer.Option(envvar="ROOMWIRE_ENDPOINT_SECRET", help="The new one, whsec_…; without it one is made."),
    ] = None,
) -> None:
    """Give an endpoint another signing secret. Messages carry both signatures until the grace ends."""
    seconds = _seconds(grace)
    made = running.send(lambda conn, outbound: rotation.rotate(conn, name, outbound, grace=seconds, secret=secret))
    typer.echo(f"Rotated {name}; the secret before signs too for {grace}." if seconds else f"Rotated {name}.")
    _show(made, chosen=bool(secret))


@app.command()
def enable(name: Name) -> None:
    """Enable an endpoint: it is sent everything, as a new one would be."""
    running.ask(lambda conn: endpoints.enable(conn, name))
    typer.echo(f"Enabled {name}; its first sync begins.")


@app.command()
def disable(name: Name) -> None:
    """Send an endpoint nothing more. What it misses is not noted: enabling it sends everything again."""
    running.ask(lambda conn: endpoints.disable(conn, name))
    typer.echo(f"Disabled {name}.")


@app.command()
def remove(name: Name) -> None:
    """Remove an endpoint."""
    running.ask(lambda conn: endpoints.remove(conn, name))
    typer.echo(f"Removed {name}.")


@app.command("list")
def list_() -> None:
    """List the endpoints with what they are behind on."""
    rows = running.ask(endpoints.overview)
    if not rows:
        typer.echo("There is no endpoint yet: roomwire endpoint add NAME URL")
    for row in rows:
        typer.echo(describe(row))


def describe(row: Overview) -> str:
    """One endpoint in a line or two, the way `endpoint list` and `status` show it."""
    state = "first sync begins" if row.filling else f"behind on {row.lacks}" if row.behind else "up to date"
    if row.rejected:
        state += f", {row.rejected:,} of them refused"
    if row.status == "disabled":
        state = f"disabled: {row.reason}"
    elif row.status != "healthy":
        state = f"{row.status}: {row.reason}; {state}"
    hotels = "all hotels" if row.hotels is None else f"hotels {', '.join(map(str, row.hotels))}"
    told = row.format if row.format == "cache-refresh" else f"{row.bookings} bookings"
    if row.types and row.format != "cache-refresh":
        told += f", only {', '.join(row.types)}"
    line = f"{row.name}  {shown(row.url)}  {hotels}, {told}  {state}"
    if row.failures:
        line += f"\n    {row.failures} failures in a row; {row.last_error}"
    return line


def shown(url: str) -> str:
    """An endpoint's address without its query, which may be a secret."""
    return url.partition("?")[0] + ("?…" if "?" in url else "")


def wired(ca: str | None, header: list[str] | None) -> dict[str, Any]:
    """What the options say of how an endpoint is reached; ends the process where they cannot be."""
    given: dict[str, Any] = {}
    try:
        if ca is not None:
            given["ca"] = None if ca == "none" else Path(ca).read_text(encoding="utf-8")
        if header == ["none"]:
            given["headers"] = {}
        elif header is not None:
            given["headers"] = read_headers(line for one in header for line in _lines(one))
    except (OSError, ValueError) as error:
        running.fail(f"{error}.")
    return given


def _lines(header: str) -> list[str]:
    """A file keeps what is secret out of the list of processes."""
    if not header.startswith("@"):
        return [header]
    return [line for line in Path(header[1:]).read_text(encoding="utf-8").splitlines() if line.strip()]


def _show(secret: str, *, chosen: bool) -> None:
    """Say what an operator needs to hand on: a secret that was made, or the public key that goes with it."""
    public = signing.signer(secret).public
    if not chosen and not public:
        typer.echo(f"Its signing secret, shown only now: {secret}")
    if public:
        typer.echo(f"Its receiver verifies with the public key: {public}")


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(text: str) -> float:
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    if not number.isdecimal():
        running.fail("A grace is a number with its unit, such as 24h, 90m or 2d; or 0.")
    return float(number) * _UNITS[unit]
