"""The commands for the process as a whole: setup, check, migrate, run, resync, status, demo."""

import contextlib
from typing import Annotated

import typer

from daemon.check.report import as_json, as_text, worst
from daemon.check.verdict import Level
from daemon.cli import deliveries, endpoint_control, endpoints, keys, replay, running
from daemon.cli.bookings import bookings
from daemon.cli.check import run_check
from daemon.cli.conflicts import conflicts
from daemon.cli.progress import show_resync
from daemon.cli.status import gather, show
from daemon.cli.status_json import as_json as status_as_json
from daemon.cli.status_text import as_text as status_as_text
from daemon.parts import PARTS, Part
from daemon.settings import check_dsn
from daemon.setup import run_setup
from outbox import restored as put_back
from sql import migrate as migrations
from sql import scopes

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps hotels' booking engines in step with their property management system.",
)
endpoint_control.add_to(endpoints.app)
app.add_typer(endpoints.app, name="endpoint")
app.add_typer(deliveries.app, name="delivery")
app.add_typer(replay.app, name="replay", help=replay.start.__doc__)
app.add_typer(keys.app, name="key")

_OPERATOR = "asked for by an operator"
Owner = Annotated[
    str, typer.Option(envvar="ROOMWIRE_OWNER_DSN", help="The database as its tables' owner, or a superuser.")
]


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def setup(
    owner_dsn: Owner,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL and change nothing.")] = False,
) -> None:
    """Prepare the PMS's database: roles, schema, publication, migrations, slot. Harmless to run again."""
    found = running.settings()
    try:
        check_dsn(owner_dsn)
    except ValueError as error:
        running.fail(f"ROOMWIRE_OWNER_DSN: {error}")
    running.run(run_setup(found, owner_dsn, dry_run=dry_run, say=typer.echo))
    if not dry_run:
        findings = running.run(run_check(found, measure_seconds=0.0))
        typer.echo(as_text(findings))
        if worst(findings) is Level.wrong:
            running.fail("The database is not ready: see what is wrong above.")
        typer.secho("The database is ready: start `roomwire run`.", fg="green")


@app.command()
def check(
    as_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything that Roomwire needs. Exit code: 0 all is well, 1 a warning, 2 something is wrong."""
    try:
        found = running.settings()
    except typer.Exit:
        raise typer.Exit(Level.wrong) from None
    findings = running.run(run_check(found))
    typer.echo(as_json(findings) if as_ else as_text(findings))
    raise typer.Exit(worst(findings))


@app.command()
def migrate(
    to: Annotated[
        int | None, typer.Option(help="Migration number to go to, also backwards; 0 removes all.")
    ] = None,
) -> None:
    """Bring Roomwire's own tables up to date."""
    found = running.settings()

    async def work() -> list[str]:
        async with running.database(found) as conn:
            return await migrations.migrate(conn, to)

    typer.echo("\n".join(running.run(work()) or ["Nothing to do: the tables are up to date."]))


@app.command()
def run(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Run only this part ({', '.join(PARTS)}); repeatable.")
    ] = None,
) -> None:
    """Follow the PMS and deliver to booking engines, until stopped."""
    chosen: list[Part] = [part for part in PARTS if not only or part in only]
    if unknown := set(only or ()) - set(PARTS):
        running.fail(f"There is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}.")
    found = running.settings()
    # The servers are half of what there is to import, which every other command would wait for.
    from daemon.supervisor import supervise  # noqa: PLC0415

    running.run(supervise(found, chosen), failed=running.fail_in_log)


@app.command()
def resync(
    *,
    hotel: Annotated[int | None, typer.Option(help="Only this hotel.")] = None,
    restored: Annotated[
        bool, typer.Option("--restored", help="The database was put back: send everything in newer versions.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Show progress until it is done.")] = True,
) -> None:
    """Compare everything with the PMS again; endpoints get only what differs, after a restore everything."""
    if restored and hotel is not None:
        raise typer.BadParameter("a database is put back with all its hotels: leave out --hotel")
    found = running.settings()

    async def work() -> None:
        async with running.database(found) as conn, conn.transaction():
            if restored:
                await put_back.note(conn, found.slot, _OPERATOR)
            else:
                await scopes.add_resync(conn, hotel, _OPERATOR)
        if wait:
            await show_resync(found, "everything anew" if restored else "what differed")

    running.run(work())


@app.command()
def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
) -> None:
    """Show who leads, how far capture is, what work is left, and who is behind."""
    found = running.settings()
    written = status_as_json if json else status_as_text
    if not watch:
        typer.echo(written(running.run(gather(found))))
        return
    with contextlib.suppress(KeyboardInterrupt):
        running.run(show(found, written))


app.command()(bookings)
app.command()(conflicts)


@app.command()
def demo(
    dsn: Annotated[
        str | None, typer.Option(help="A PostgreSQL of yours, as its superuser, instead of our own.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the booking engine's page; 0 takes a free one.")] = 8700,
    rate: Annotated[float, typer.Option(help="Actions of the hotels' staff per second.")] = 2.0,
) -> None:
    """Show it: a PMS with three hotels, staff at work, the daemon, and a booking engine's page."""
    from deploy.demo import run_demo  # noqa: PLC0415  # the demo's server is an optional dependency

    raise typer.Exit(run_demo(dsn=dsn, port=port, rate=rate))
