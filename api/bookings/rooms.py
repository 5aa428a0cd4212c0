"""The rooms of a booking or hold, or why there are none."""

from collections.abc import Collection, Sequence

from psycopg import AsyncConnection

from api import freshness
from api.bookings.assignment import Need
from api.bookings.selection import choose_rooms
from api.request.problems import Fault, Problem
from sql.later import Later
from sql.pms import rooms
from sql.pms.rooms import Nights, Room


async def take_rooms(
    conn: AsyncConnection,
    nights: Nights,
    needs: Sequence[Need],
    tried: set[int],
    numbers: Sequence[int] = (),
    *,
    given_away: Collection[int] = (),
    asked: Later[Room | None] | None = None,
) -> list[Room]:
    """A room for each need, locked until the transaction ends unless the stay is large.

    tried: rooms that were given to earlier attempts, which came to nothing; those that are given now join them.
    numbers: which of the rooms asked for each need is; without them, the needs are all of the rooms.
    given_away: rooms that the same transaction has given to others who ask, which its own locks do not tell of.
    asked: as `choose_rooms` has it.

    Raises:
        Problem: `unknown_room_type`, `too_many_people` or `sold_out`.
    """
    fresh = freshness.now()
    if given := await choose_rooms(conn, nights, needs, tried, given_away, asked=asked):
        tried.update(room.id for room in given)
        return given
    await check_types(conn, nights.hotel_id, needs, numbers)
    raise Problem("sold_out", room_type_ids=sorted({need.room_type_id for need in needs}), **freshness.stamp(fresh))


async def check_types(
    conn: AsyncConnection, hotel_id: int, needs: Sequence[Need], numbers: Sequence[int] = ()
) -> None:
    """Make sure that the hotel has rooms of such types and sizes, free or not. numbers: as `take_rooms` has them.

    Raises:
        Problem: `unknown_room_type` or `too_many_people`.
    """
    holds = await rooms.capacities(conn, hotel_id, {need.room_type_id for need in needs})
    for n, need in zip(numbers or range(len(needs)), needs, strict=True):
        if need.room_type_id not in holds:
            fault = Fault(f"/rooms/{n}/room_type_id", "The hotel has no such room type.")
            raise Problem("unknown_room_type", faults=[fault])
        if need.people > holds[need.room_type_id]:
            said = f"Its rooms take {holds[need.room_type_id]} people at most."
            raise Problem("too_many_people", faults=[Fault(f"/rooms/{n}/number_of_people", said)])
