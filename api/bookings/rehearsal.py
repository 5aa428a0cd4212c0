"""Having a new session plan the statements of a booking before anybody waits for it.

A booking's transaction is short (`sql.pms.brevity`), and a new session would spend most of it on planning. So it
runs every statement once beforehand, with keys of nothing: no row of the PMS is written or locked.
"""

import contextlib
from datetime import date
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection

from outbox.inbound import project_booking
from sql import idempotency, savepoints
from sql.idempotency import Answer, Request
from sql.links import Link
from sql.pms import booking, clients, prices, rooms
from sql.pms.booking import Reservation, Signature
from sql.pms.clients import Circle, Guest
from sql.pms.rooms import Nights, Taken
from sql.projection import Frame

_NOWHERE = 0
_DAY = date(2000, 1, 1)
_NOBODY = Guest("")
_LONG = 30.0
"""Seconds more than a booking's that the last statement and the end may take."""


async def rehearse(conn: AsyncConnection) -> None:
    """Have a new session, in autocommit, plan what a booking of one room says.

    Where somebody is in the way it is left undone: the first booking then plans the rest.
    """
    try:
        async with conn.pipeline():
            await conn.execute("begin")
            await conn.execute("commit")
            await conn.execute("begin")
            await _say(conn)
            await savepoints.abandon(conn)
    except psycopg.Error:
        # What follows an error in a pipeline is not done.
        with contextlib.suppress(psycopg.Error):
            await savepoints.abandon(conn)


async def _say(conn: AsyncConnection) -> None:
    """Run the statements of `create` and `once`, in any order; the claim comes last, for it bounds what follows."""
    nights, made = Nights(_NOWHERE, _DAY, _DAY), uuid4()
    await prices.ask_fingerprint(conn, _NOWHERE)
    await clients.ask(conn, _NOBODY, _NOWHERE, Circle("", [_NOWHERE]))
    await rooms.ask_best(conn, nights, _NOWHERE, 1)
    await booking.insert(conn, Reservation(made, nights, made, 1, "confirmed"), [], Signature(_NOWHERE, ""))
    await project_booking(conn, _NOWHERE, made, Frame(_DAY, ""), new=True)
    await rooms.secure(conn, Taken(_NOWHERE, made, [(_NOWHERE, _DAY)]))
    request = Request("", str(made), b"", {})
    await idempotency.keep(conn, request, Answer(b"", {}, 201, {}, b""))
    await idempotency.ask(conn, request, _NOWHERE, _LONG, Link("", str(made), _NOWHERE, made))
