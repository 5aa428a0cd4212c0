"""A year of a small hotel chain's business, the same for the same seed and day."""

from __future__ import annotations

from datetime import date
from random import Random

import psycopg

from deploy.pms.seed.catalogue import furnish
from deploy.pms.seed.rows import Rows
from deploy.pms.seed.stays import populate


def plant(conn: psycopg.Connection, *, seed: int, hotels: int, days: int, today: date) -> None:
    """Fill the empty tables within the caller's transaction; `deploy.pms.install` has the arguments."""
    rng = Random(f"{seed} {hotels} {days}")
    rows = Rows(rng)
    for hotel in furnish(rows, hotels=hotels, today=today):
        populate(rows, hotel, days=days, today=today)
    rows.load(conn)
