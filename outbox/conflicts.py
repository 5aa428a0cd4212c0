"""The conflict watch: bookings of ours in rooms that another stay has on the same night, too.

Nothing in the PMS prevents that. What is in flight when we look at a room is waited for, but the PMS looks without
a lock, and revives a stay or moves its dates without one: it may give a room away that is ours. The stream tells of
every night that changes, so those alone are looked at; a conflict is noted with the document that shows it, and
ends by itself when either stay leaves the room.
"""

from collections.abc import Collection
from datetime import date, timedelta
from itertools import groupby

import structlog
from psycopg import AsyncConnection

from sql import conflicts as noted
from sql import projection
from sql.pms import conflicts
from sql.pms.conflicts import Change
from sql.projection import Frame

log = structlog.get_logger()

Key = tuple[int, str]


async def watch(
    conn: AsyncConnection, nights: Collection[Key], reservations: Collection[Key], frame: Frame
) -> set[Key]:
    """Note the conflicts that changed nights and reservations begin and end.

    To be called before documents are written, which show them. Returns the keys of bookings that may show others
    now, their documents locked. Their sync status follows in the same transaction.
    """
    found = await conflicts.touched(conn, nights, reservations, frame.agent)
    if not found:
        return set()
    locked = await projection.lock_bookings(conn, found, frame)
    changes = await conflicts.renew(conn, found, frame.agent)
    if changes:
        await noted.report(conn, {(one.hotel_id, str(one.reservation_id)) for one in changes}, frame.today)
        _tell(changes, frame.today - timedelta(days=1))
    return set(locked)


def _tell(changes: list[Change], first: date) -> None:
    """A line for each booking: what is new of the nights from the first on, and what is over."""
    for (hotel_id, booking), group in groupby(changes, key=lambda one: (one.hotel_id, one.reservation_id)):
        nights = list(group)
        if shared := [one for one in nights if one.others and one.date >= first]:
            log.warning(
                "conflict",
                hotel=hotel_id,
                booking=str(booking),
                nights=[f"{one.date} room {one.room_id}" for one in shared],
                others=sorted({str(other) for one in shared for other in one.others}),
            )
        if over := [one for one in nights if not one.others]:
            log.info(
                "conflict_over",
                hotel=hotel_id,
                booking=str(booking),
                nights=[f"{one.date} room {one.room_id}" for one in over],
            )
