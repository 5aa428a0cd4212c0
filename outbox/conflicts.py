"""The conflict watch: bookings of ours in rooms that another stay has on the same night, too.

Nothing in the PMS prevents that. A booking of ours waits for whoever was given its room by a statement that has
ended; one that still runs cannot be seen. And the PMS itself looks for rooms, revives stays and moves their dates
without a lock, so it may give away a room of ours. The stream tells of every night that changes, so those alone are
looked at; a conflict is noted with the document that shows it, and ends by itself when either stay leaves the room.
"""

from collections.abc import Collection
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import structlog
from psycopg import AsyncConnection, AsyncCursor

from sql import conflicts as noted
from sql import projection
from sql.pms import conflicts
from sql.pms.conflicts import Change
from sql.projection import Frame

log = structlog.get_logger()

Key = tuple[int, str]


async def watch(
    conn: AsyncConnection, nights: Collection[Key], reservations: Collection[Key], frame: Frame
) -> list[AsyncCursor[Any]]:
    """Note the conflicts that changed nights and reservations begin and end; write the documents that show them.

    To be called last: it nearly always finds nothing, and in a pipeline its question then goes out with everything
    else. The bookings' sync status follows in the same transaction. Returns what was written, for
    `projection.counted`.
    """
    found = await conflicts.touched(conn, nights, reservations, frame.agent) if nights or reservations else set()
    if not found:
        return []
    locked = await projection.lock_bookings(conn, found, frame)
    changes = await conflicts.renew(conn, found, frame.agent)
    # Of all: one may have been noted while the booking was a hold, which has no status.
    await noted.report(conn, found, frame.today)
    if not changes:
        return []
    _tell(changes, frame.today - timedelta(days=1))
    changed = {(one.hotel_id, str(one.reservation_id)) for one in changes}
    shown = changed.intersection(locked)
    return [await projection.write(conn, "booking", shown, frame)] if shown else []


def _tell(changes: list[Change], first: date) -> None:
    """Log a line for each booking: conflicts that are new among the nights from `first` on, and that are over."""
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
