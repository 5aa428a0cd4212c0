"""Where the nights of stays stood when the stream last told of them.

Under REPLICA IDENTITY DEFAULT an update tells nothing of the old row, and most of those of a night set a price or a
status: that takes no room and frees none. But the stream tells every version of a row, in order. So where the one
before is remembered, an update that leaves the night where it was is known from the stream itself, whatever the PMS
says by now; what was forgotten, or never told, counts as moved.
"""

from typing import Final

from daemon.replication.changes import Row

_MOST: Final = 15_000
"""Nights of one generation; two are remembered, in some 130 bytes each."""
_WHERE: Final = ("id", "hotel_id", "reservation_id", "date", "room_id")


class Places:
    """What one connection's stream has told of nights, the newest ones: 64-bit digests by those of their ids."""

    def __init__(self) -> None:
        self._newer: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def moved(self, row: Row) -> bool:
        """Whether this change of a night may concern who has which room when; it is noted for the next one."""
        values = row.values
        if row.action == "delete":
            return True
        try:
            told = tuple([values[name] for name in _WHERE])
            place = hash((told, values["cancelled"] is None))
        except KeyError:  # a publication may leave a column out, and what it did not tell is not known
            self.forget()
            return True
        night = hash(values["id"])
        before = self._newer.get(night, self._older.get(night))
        self._newer[night] = place
        if len(self._newer) >= _MOST:
            self._older, self._newer = self._newer, {}
        # An old value is told where it is another now, or the key was.
        return row.action == "insert" or bool(row.old) or place != before

    def forget(self) -> None:
        """Remember nothing: changes of nights may have gone by untold."""
        self._newer, self._older = {}, {}
