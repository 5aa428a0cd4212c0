"""Transactions of the PMS on their way to documents: assembled from events, kept in order until they are done.

Only keys are kept, never rows. A transaction that names none costs nothing but its position.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from daemon.places import Places
from daemon.replication.changes import Begin, Commit, Event, Message, Row, Truncate
from daemon.routes import route, route_everything
from outbox.dirty import Dirty
from sql.pms.tables import FOLLOWED, SCHEMA

MOST_KEYS = 100_000
"""The keys one transaction may hold; a larger one becomes durable work on whole hotels. So much may wait, too."""

_ROWS_BETWEEN_LOOKS = 5_000
_WEIGHT = 8
"""What a transaction itself takes of memory, in keys: many small ones weigh more than all that they name."""

Unknown = tuple[str, str, int | None]
"""Schema, table and hotel of a row whose table is not known yet: a new hotel's leaf, or noise."""


@dataclass(slots=True)
class Transaction:
    """A committed transaction; `done` when its keys are in documents, or it has none.

    committed_at: Unix seconds; end_lsn: the position to resume after; changes: its rows of followed tables; size:
    its keys when it arrived; hidden: not visible when it was last looked for; beat: content of a heartbeat of ours
    in it.
    """

    xid: int
    committed_at: float
    end_lsn: int = 0
    dirty: Dirty | None = None
    unknown: set[Unknown] = field(default_factory=set)
    changes: int = 0
    size: int = 0
    hidden: bool = False
    beat: str | None = None

    @property
    def done(self) -> bool:
        """Nothing of it is left to do."""
        return self.dirty is None and not self.unknown

    def keys(self) -> Dirty:
        """Its keys, made at the first use."""
        if self.dirty is None:
            self.dirty = Dirty()
        return self.dirty


class Assembler:
    """Makes transactions of the decoder's events, those of one connection in their order."""

    def __init__(self) -> None:
        self._places = Places()
        self._open = Transaction(0, 0.0)
        self._rows = 0
        self._inside = False
        self.position = 0
        """The end LSN of what has been received whole: with nothing pending, it may be confirmed."""

    def idle(self, wal_end: int) -> None:
        """Take a keepalive's position: between transactions, everything before it has been received."""
        if not self._inside:
            self.position = max(self.position, wal_end)

    def feed(self, event: Event) -> Transaction | None:
        """Take the next event; returns the transaction that it completes."""
        match event:
            case Row():
                self._row(event)
            case Begin():
                self._open = Transaction(event.xid, event.commit_time)
                self._rows = 0
                self._inside = True
            case Commit():
                self._open.end_lsn = event.end_lsn
                self._open.changes = self._rows
                self.position = max(self.position, event.end_lsn)
                self._inside = False
                return self._open
            case Truncate():
                self._truncate(event)
            case Message() if event.prefix == "roomwire" and event.transactional:
                self._open.beat = event.content.decode(errors="replace")
        return None

    def _row(self, row: Row) -> None:
        if row.table in FOLLOWED and row.schema == SCHEMA:
            route(row, self._open.keys(), self._places)
            self._rows += 1
            if self._rows % _ROWS_BETWEEN_LOOKS == 0 and len(self._open.keys()) > MOST_KEYS:
                self._open.keys().collapse()
        elif hotel := row.values.get("hotel_id"):
            # Of a relation that is noise this may be anything; or nights of a hotel whose partitions are made anew.
            self._places.forget()
            self._open.unknown.add((row.schema, row.table, int(hotel) if hotel.isdecimal() else None))

    def _truncate(self, truncate: Truncate) -> None:
        for schema, table in truncate.tables:
            if table in FOLLOWED and schema == SCHEMA:
                route_everything(self._open.keys(), None)
            else:
                self._open.unknown.add((schema, table, None))


class Pending:
    """The transactions received and not yet covered by the checkpoint, in commit order."""

    def __init__(self) -> None:
        self._transactions: deque[Transaction] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._weight = 0

    def add(self, transaction: Transaction) -> None:
        """Take in the next transaction of the stream."""
        last = self._transactions[-1] if self._transactions else None
        if transaction.done and last is not None and last.done:
            self._transactions.pop()
        self._transactions.append(transaction)
        if not transaction.done:
            transaction.size = len(transaction.keys())
            self._weight += transaction.size + _WEIGHT
            self._arrived.set()
            if self._weight > MOST_KEYS:
                self._room.clear()

    def window(self, limit: int) -> list[Transaction]:
        """The oldest transactions that have something to do, with about `limit` keys besides hidden ones'."""
        chosen: list[Transaction] = []
        size = 0
        for transaction in self._transactions:
            if transaction.done:
                continue
            chosen.append(transaction)
            size += 0 if transaction.hidden else transaction.size
            if size >= limit:
                break
        if not chosen:
            self._arrived.clear()
        return chosen

    def hide(self, hidden: list[Transaction]) -> None:
        """Note that these are not visible yet: they stay, and those behind them are not kept waiting."""
        for transaction in hidden:
            transaction.hidden = True

    def reached(self, finished: list[Transaction]) -> Transaction | None:
        """The last transaction that the checkpoint may cover once `finished` are done."""
        ids = {id(t) for t in finished}
        reached = None
        for transaction in self._transactions:
            if not transaction.done and id(transaction) not in ids:
                break
            reached = transaction
        return reached

    def finish(self, finished: list[Transaction]) -> None:
        """Note that these are done, and forget all that the checkpoint covers."""
        for transaction in finished:
            self._weight -= transaction.size + _WEIGHT
            transaction.dirty = None
            transaction.unknown = set()
        while self._transactions and self._transactions[0].done:
            self._transactions.popleft()
        if self._weight <= MOST_KEYS:
            self._room.set()

    @property
    def empty(self) -> bool:
        """Everything received is done."""
        return all(t.done for t in self._transactions)

    async def room(self) -> None:
        """Wait until more may be taken in."""
        await self._room.wait()

    async def arrival(self, seconds: float) -> None:
        """Wait until there may be something to do, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    def quiet(self) -> None:
        """Wait for a new arrival, though what is here is not done: it is not visible yet."""
        self._arrived.clear()
