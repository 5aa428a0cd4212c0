"""The checkpoint: how far the change stream has become documents, and the epoch of the leader who may move it.

LSNs are integers (bytes of WAL since the cluster's birth).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import AsyncConnection, AsyncCursor

from sql.literals import array
from sql.queries import fill, load

_QUERIES = load("checkpoint.sql")
_TAKE = fill(_QUERIES["take"], invisible=_QUERIES["invisible"])
_READ, _START, _LEAD = (
    fill(_QUERIES[name], incarnation=_QUERIES["incarnation"]) for name in ("read", "start", "lead")
)


class DeposedError(Exception):
    """Another Roomwire leads this slot now: this one must write nothing more and stop."""

    def __init__(self, slot: str) -> None:
        super().__init__(f"another Roomwire leads slot {slot} now; this one stops")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The stored position of a slot.

    horizon: the hotel-local day that availability stands on; copied: it was written in another database or table,
    as what a dump brings back was; restored_at, restored: when it was last found that the database had been put
    back, and by what.
    """

    system_id: str
    timeline: int
    epoch: int
    end_lsn: int
    committed_at: datetime | None
    horizon: date
    copied: bool = False
    restored_at: datetime | None = None
    restored: str | None = None


async def read(conn: AsyncConnection, slot: str) -> Checkpoint | None:
    """The checkpoint of a slot, None before its first."""
    row = await (await conn.execute(_READ, {"slot": slot})).fetchone()
    return Checkpoint(*row) if row else None


async def start(
    conn: AsyncConnection, slot: str, *, system_id: str, timeline: int, end_lsn: int, today: date
) -> None:
    """Set a new slot's first position, or a position after a gap that a resync will close."""
    values = {"slot": slot, "system_id": system_id, "timeline": timeline, "end_lsn": end_lsn, "today": today}
    await conn.execute(_START, values)


async def note_restored(conn: AsyncConnection, slot: str, reason: str) -> None:
    """Keep when and by what it was found that the database had been put back."""
    await conn.execute(_QUERIES["restored"], {"slot": slot, "reason": reason})


async def lead(conn: AsyncConnection, slot: str) -> Checkpoint:
    """Become the slot's leader: whoever led before can no longer write.

    Raises:
        DeposedError: the slot has no checkpoint any more.
    """
    row = await (await conn.execute(_LEAD, {"slot": slot})).fetchone()
    if row is None:
        raise DeposedError(slot)
    return Checkpoint(*row)


async def advance(
    conn: AsyncConnection, slot: str, epoch: int, end_lsn: int, committed_at: datetime | None
) -> None:
    """Move the checkpoint, in the transaction that writes the documents.

    Raises:
        DeposedError: another leads, or the checkpoint stands further already.
    """
    values = {"slot": slot, "epoch": epoch, "end_lsn": end_lsn, "committed_at": committed_at}
    if await (await conn.execute(_QUERIES["advance"], values)).fetchone() is None:
        raise DeposedError(slot)


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that is begun if all of it is visible."""

    slot: str
    cursor: AsyncCursor[tuple[int | None]]

    async def hidden(self) -> set[int]:
        """Those of the transactions that its snapshot does not show yet: with any of them the batch is not begun.

        Raises:
            DeposedError: another leads, or the checkpoint stands further already.
        """
        found = await self.cursor.fetchall()
        if not found:
            raise DeposedError(self.slot)
        return {low for (low,) in found if low is not None}


async def take(
    conn: AsyncConnection,
    slot: str,
    epoch: int,
    *,
    xids: Collection[int],
    end_lsn: int | None,
    committed_at: datetime,
) -> Taken:
    """Begin a batch of these transactions (low 32 bits of their ids): move the checkpoint, and hold it.

    end_lsn: None where the checkpoint stays for now, because what lies before the batch is not done.
    """
    values = {"slot": slot, "epoch": epoch, "end_lsn": end_lsn, "committed_at": committed_at, "xids": array(xids)}
    return Taken(slot, await conn.execute(_TAKE, values))


async def hold(conn: AsyncConnection, slot: str, epoch: int) -> None:
    """Make sure for the rest of this transaction that nobody else leads.

    Raises:
        DeposedError: another leads.
    """
    if await (await conn.execute(_QUERIES["hold"], {"slot": slot, "epoch": epoch})).fetchone() is None:
        raise DeposedError(slot)


async def move_horizon(conn: AsyncConnection, slot: str, epoch: int, today: date) -> None:
    """Note that availability stands on a new hotel-local day."""
    await conn.execute(_QUERIES["move_horizon"], {"slot": slot, "epoch": epoch, "today": today})


async def invisible(conn: AsyncConnection, xids: Collection[int]) -> set[int]:
    """Those of these transactions (low 32 bits of their ids) that a new snapshot does not show yet."""
    return {low async for (low,) in await conn.execute(_QUERIES["invisible"], {"xids": array(xids)})}


async def beat(conn: AsyncConnection, content: str) -> int:
    """Write a message into the WAL; returns its LSN."""
    row = await (await conn.execute(_QUERIES["beat"], {"content": content})).fetchone()
    assert row is not None  # a select of one expression gives one row
    return int(row[0])


async def written(conn: AsyncConnection) -> tuple[int, datetime]:
    """How far the server has written its WAL, and its clock."""
    row = await (await conn.execute(_QUERIES["written"])).fetchone()
    assert row is not None  # a select of two expressions gives one row
    return int(row[0]), row[1]
