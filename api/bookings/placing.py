"""Rooms for a changed stay: each keeps its own where that is free on the nights that are added."""

from collections.abc import Mapping, Sequence

from psycopg import AsyncConnection

from api.bookings.asked import RoomBooked
from api.bookings.assignment import Need
from api.bookings.current import CurrentRoom, takes
from api.bookings.rooms import take_rooms
from sql.pms import rooms
from sql.pms.rooms import Nights


async def place(
    conn: AsyncConnection,
    old: Nights,
    new: Nights,
    asked: Sequence[RoomBooked],
    *,
    kept: Sequence[CurrentRoom | None],
    capacities: Mapping[int, int],
    tried: set[int],
) -> list[int]:
    """The room's id for each room that is asked for.

    kept: what each goes on from; those rooms are locked already, and take so many people as `capacities` says.
    tried: as `take_rooms` has it.

    Raises:
        Problem: `unknown_room_type`, `too_many_people` or `sold_out`.
    """
    going_on = {one.room_id for one, room in zip(kept, asked, strict=True) if one and takes(one, room, capacities)}
    for added in _added(old, new):
        going_on &= {room.id for room in await rooms.free(conn, added, going_on)}
    placed = {n: room.room_id for n, room in enumerate(kept) if room and room.room_id in going_on}
    missing = [n for n in range(len(asked)) if n not in placed]
    if missing:
        needs = [Need(asked[n].room_type_id, asked[n].number_of_people) for n in missing]
        given = await take_rooms(conn, new, needs, tried, missing, given_away=placed.values())
        placed |= {n: room.id for n, room in zip(missing, given, strict=True)}
    return [placed[n] for n in range(len(asked))]


def _added(old: Nights, new: Nights) -> list[Nights]:
    """The nights of the new stay that the old one does not have."""
    before = Nights(new.hotel_id, new.check_in, min(new.check_out, old.check_in))
    after = Nights(new.hotel_id, max(new.check_in, old.check_out), new.check_out)
    return [nights for nights in (before, after) if nights.check_in < nights.check_out]
