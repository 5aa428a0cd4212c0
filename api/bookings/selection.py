"""Choosing rooms for a stay and keeping them until the transaction ends.

Nothing in the PMS prevents two reservations of one room-night, so rooms are locked first and looked at again in a
new statement. The best free rooms that nobody else has locked are tried first: bookings side by side then do not
wait for each other. Where those do not suffice they are let go (keeping them while waiting for more would deadlock)
and every free room of the types is locked in id order.
"""

from collections.abc import Sequence

from psycopg import AsyncConnection

from api.bookings.assignment import Need, assign, by_size
from sql import savepoints
from sql.pms import rooms
from sql.pms.rooms import Nights, Room


async def choose_rooms(conn: AsyncConnection, nights: Nights, needs: Sequence[Need]) -> list[Room] | None:
    """One room for each need, the same for all nights, locked; None where there are not enough.

    They were free when they were locked: whoever writes into them looks again, by the statement that writes or by
    `sql.pms.rooms.free`.

    Raises:
        psycopg.errors.LockNotAvailable: somebody is at the rooms for longer than we wait; try again.
    """
    several = len(needs) > 1
    if several:
        await savepoints.save(conn, "rooms")
    if chosen := await _unlocked(conn, nights, needs):
        return chosen
    if several:
        await savepoints.undo(conn, "rooms")
    locked = await rooms.lock_all(conn, nights, {need.room_type_id for need in needs})
    return assign(needs, await rooms.free(conn, nights, locked)) if len(locked) >= len(needs) else None


async def _unlocked(conn: AsyncConnection, nights: Nights, needs: Sequence[Need]) -> list[Room] | None:
    """Rooms that nobody else has locked."""
    taken: list[Room] = []
    for need in by_size(needs):
        room = await rooms.lock_best(conn, nights, need.room_type_id, need.people, [room.id for room in taken])
        if room is None:
            return None
        taken.append(room)
    return assign(needs, taken)
