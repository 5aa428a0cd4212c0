"""`python -m deploy.pms`: put a PMS in place, and let its users act."""

from __future__ import annotations

import asyncio
import signal
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import psycopg
import typer

from deploy.pms import install as install_pms
from deploy.pms.simulator import Simulator

app = typer.Typer(help="A PMS to work against.", no_args_is_help=True, add_completion=False)
Dsn = Annotated[str, typer.Option(help="The database to work in, as the role that owns its tables.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same choices.")]
Day = Annotated[datetime | None, typer.Option("--today", formats=["%Y-%m-%d"], help="Default: today in Tokyo.")]


def _day(given: datetime | None) -> date:
    return (given or datetime.now(ZoneInfo("Asia/Tokyo"))).date()


@app.command()
def install(dsn: Dsn, seed: Seed = 1, hotels: int = 3, days: int = 330, today: Day = None) -> None:
    """Create the PMS's schema in an empty database and fill it with a year of reservations."""
    with psycopg.connect(dsn) as conn:
        install_pms(conn, seed=seed, hotels=hotels, days=days, today=_day(today))
    typer.echo(f"installed: {hotels} hotels, {days} days ahead")


@app.command()
def simulate(
    dsn: Dsn,
    *,
    seed: Seed = 1,
    connections: int = 4,
    rate: Annotated[float | None, typer.Option(help="Actions per second; default: as many as possible.")] = None,
    actions: Annotated[int | None, typer.Option(help="Stop after so many; default: on Ctrl-C.")] = None,
    today: Day = None,
) -> None:
    """Perform what staff and OTAs do, at random, until so many actions are done or a signal arrives."""
    simulator = Simulator(dsn, seed=seed, connections=connections, rate=rate, today=_day(today))
    asyncio.run(_until_signal(simulator, actions))
    for name, times in sorted(simulator.actions.items()):
        typer.echo(f"{times:8} {name}")
    for name, times in sorted(simulator.troubles.items()):
        typer.echo(f"{times:8} ! {name}")


async def _until_signal(simulator: Simulator, actions: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wanted, stop.set)
    await simulator.run(actions, stop)


if __name__ == "__main__":
    app()
