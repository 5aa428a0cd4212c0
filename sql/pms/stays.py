"""What can be stayed in, read from the PMS now."""

from dataclasses import dataclass
from datetime import date

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from sql.queries import load

_QUERIES = load("pms/stays.sql")
FREE: SQL = _QUERIES["free"]
"""A condition on a room `r`: free on all nights of a stay. Parameters: hotel, check_in, check_out."""
_ROOM_TYPES = _QUERIES["room_types"].format(free=FREE)


@dataclass(frozen=True, slots=True)
class Stock:
    """A room type and what is left of it for a stay.

    sellable: its rooms that are sold to guests; capacity: the most people that one of them takes, None without any;
    free: capacities of those that nobody has on any of the nights, ascending; full: nights on which all are taken.
    """

    room_type_id: int
    name: str
    sellable: int
    capacity: int | None
    free: list[int]
    full: list[date]


async def stock(conn: AsyncConnection, hotel_id: int, check_in: date, check_out: date) -> list[Stock]:
    """Every room type of a hotel for the nights of [check_in, check_out), by id."""
    values = {"hotel": hotel_id, "check_in": check_in, "check_out": check_out}
    async with conn.cursor(row_factory=class_row(Stock)) as cursor:
        await cursor.execute(_ROOM_TYPES, values)
        return await cursor.fetchall()
