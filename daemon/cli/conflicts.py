"""`roomwire conflicts`: rooms that a booking from the API and another stay have on the same night."""

import json as json_format
from datetime import date, datetime
from typing import Annotated

import typer

from daemon.cli import running
from daemon.settings import Settings
from sql.pms import conflicts as pms
from sql.pms import tables
from sql.pms.conflicts import Conflict


def conflicts(
    *,
    json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
) -> None:
    """List rooms that another stay was given although a booking from the API has them, the next nights first."""
    found = running.run(_listed(running.settings()))
    if json:
        typer.echo(json_format.dumps([one._asdict() for one in found], default=_plain, ensure_ascii=False))
        return
    for one in found:
        typer.echo(_line(one))
    typer.echo(
        "Give one of each two another room in the PMS: the conflict then ends by itself."
        if found
        else "No booking shares its room."
    )


async def _listed(settings: Settings) -> list[Conflict]:
    async with running.database(settings) as conn:
        return await pms.listed(conn, await tables.today(conn, settings.time_zone))


def _line(one: Conflict) -> str:
    booking = f"booking {one.reservation_id}" + (f" ({one.external_id})" if one.external_id else "")
    return (
        f"{one.date}  hotel {one.hotel_id}  room {one.room_number or '?'}  {booking}"
        f"  and {', '.join(one.others) or 'a stay that has just gone'}  since {one.found_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
