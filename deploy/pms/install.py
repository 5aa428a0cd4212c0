"""Putting a PMS database in place: schema first, then a year of business."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import psycopg

from deploy.pms.seed import plant


def install(conn: psycopg.Connection, *, seed: int = 1, hotels: int = 3, days: int = 330, today: date) -> None:
    """Create the PMS's schema and fill it, in one transaction, as an ordinary owner of the database.

    Args:
        conn: A connection to a database that holds no PMS yet. It is committed.
        seed: The same seed and day give the same rows, ids included.
        hotels: How many hotels; the first three have 60, 50 and 40 rooms, further ones 20.
        days: Nights after `today` that have reservations; up to 40 nights before it have too.
        today: The hotel-local day that the business is arranged around.

    Raises:
        psycopg.errors.DuplicateTable: The database already holds a PMS.
    """
    with conn.transaction():
        _run(conn, "schema.sql")
        plant(conn, seed=seed, hotels=hotels, days=days, today=today)
        _run(conn, "rules.sql")
        # The planner is not left guessing until autovacuum comes round.
        conn.execute("ANALYZE clients, rooms, room_types, plans_hotel, reservations, reservation_details")
    conn.commit()


def _run(conn: psycopg.Connection, script: str) -> None:
    text = files("deploy.pms").joinpath(script).read_text("utf-8")
    conn.execute(text.encode())
