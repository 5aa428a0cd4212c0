"""Choosing rooms for a stay and keeping them until the transaction ends.

Nothing in the PMS prevents two reservations of one room-night, so rooms are locked first and looked at again in a
new statement. The best free rooms that no other booking has locked are tried first: bookings side by side then do
not wait for each other. Where those do not suffice they are let go (keeping them while waiting for more would
deadlock) and every free room of the types is locked in id order. All this keeps out other bookings, not the front
desk: `sql.pms.rooms.secure` does, at the end.

A large booking locks nothing here: staff who take a room out of order would wait until it is written. Whoever comes
between is met in the end as well, and the next attempt takes other rooms.
"""

from collections.abc import Collection, Sequence

from psycopg import AsyncConnection

from api.bookings.assignment import Need, assign, by_size
from sql import savepoints
from sql.later import Later
from sql.pms import rooms
from sql.pms.brevity import MANY
from sql.pms.rooms import Nights, Room


async def choose_rooms(
    conn: AsyncConnection,
    nights: Nights,
    needs: Sequence[Need],
    tried: Collection[int] = (),
    given_away: Collection[int] = (),
    *,
    asked: Later[Room | None] | None = None,
) -> list[Room] | None:
    """One room for each need, the same for all nights; None where there are not enough. Locked unless it is large.

    tried: rooms that were chosen before in vain. Those of them that the front desk is at are chosen again only
    where there are no others. given_away: rooms that this very transaction has given to somebody, not yet written;
    its own locks do not tell of them. asked: `sql.pms.rooms.ask_best` for the one need, where that was sent before.

    They were free just before they were locked: whoever writes into them has them secured in the end.

    Raises:
        psycopg.errors.LockNotAvailable: others are at the rooms for longer than we wait; try again.
    """
    busy = set(tried) - await _at_hand(conn, nights.hotel_id, tried) if tried else set()
    if len(nights) * len(needs) > MANY:
        free = await rooms.every(conn, nights, {need.room_type_id for need in needs})
        left = [room for room in free if room.id not in given_away]
        return assign(needs, [room for room in left if room.id not in busy]) or assign(needs, left)
    several = len(needs) > 1
    if several:
        await savepoints.save(conn, "rooms")
    if asked:
        room = await asked.get()
        chosen = [room] if room else None
    else:
        chosen = await _unlocked(conn, nights, needs, {*busy, *given_away})
    if chosen:
        return chosen
    if several:
        await savepoints.undo(conn, "rooms")
    wanted = await rooms.lock_all(conn, nights, {need.room_type_id for need in needs})
    locked = [room_id for room_id in wanted if room_id not in given_away]
    if len(locked) < len(needs):
        return None
    left = await rooms.free(conn, nights, locked)
    return assign(needs, [room for room in left if room.id not in busy]) or assign(needs, left)


async def _at_hand(conn: AsyncConnection, hotel_id: int, wanted: Collection[int]) -> set[int]:
    """Those of the rooms that nobody is at; none of them is locked for that."""
    await savepoints.save(conn, "probe")
    found = await rooms.at_hand(conn, hotel_id, wanted)
    await savepoints.undo(conn, "probe")
    return found


async def _unlocked(
    conn: AsyncConnection, nights: Nights, needs: Sequence[Need], without: Collection[int]
) -> list[Room] | None:
    """Rooms that no other booking has locked, and none of those that are left out."""
    taken: list[Room] = []
    for need in by_size(needs):
        room = await rooms.lock_best(
            conn, nights, need.room_type_id, need.people, [*without, *(room.id for room in taken)]
        )
        if room is None:
            return None
        taken.append(room)
    return assign(needs, taken)
