"""What a decoder makes of one message of the change stream: a closed union, `Event`.

Both decoders give the same events for the same transaction, in the order in which PostgreSQL sent
them: `Begin`, then rows, truncations and messages, then `Commit`. A message that is not transactional may
stand outside a transaction. LSNs are integers, times are Unix seconds.

The events are named tuples, the cheapest immutable objects Python can make: a hundred thousand of them
pass every second while catching up.
"""

from typing import Final, Literal, NamedTuple

Action = Literal["insert", "update", "delete"]
"""What happened to a row."""

Values = dict[str, str | None]
"""Column → value as PostgreSQL prints it (`t` and `f` for booleans), or None for NULL."""


class Begin(NamedTuple):
    """A committed transaction follows.

    Attributes:
        xid: the transaction's id, 32 bits: the epoch is not part of it.
        commit_time: when it committed.
    """

    xid: int
    commit_time: float


class Row(NamedTuple):
    """One row was inserted, updated or deleted.

    Attributes:
        action: what happened to it.
        schema: of the relation that `table` names.
        table: the partitioned root where it is known, never a leaf whose root is known.
        values: the wanted columns that were sent: the new row's, or for a delete those of the replica
            identity that are not NULL. An unchanged TOASTed value is not sent.
        old: for an update, the wanted columns whose old value is known, not NULL, and not the value now:
            filled when a key changed, and under REPLICA IDENTITY FULL.
    """

    action: Action
    schema: str
    table: str
    values: Values
    old: Values = {}  # noqa: RUF012 - a named tuple's default; nobody writes to an event


class Truncate(NamedTuple):
    """Tables were emptied.

    Attributes:
        tables: (schema, table) of those that are wanted, or unknown.
    """

    tables: tuple[tuple[str, str], ...]


class Message(NamedTuple):
    """Somebody called pg_logical_emit_message.

    Attributes:
        prefix: who it is for.
        content: as given.
        transactional: part of the transaction around it, not sent on its own.
        lsn: where the message stands in the log.
    """

    prefix: str
    content: bytes
    transactional: bool
    lsn: int


class Commit(NamedTuple):
    """The transaction ends.

    Attributes:
        commit_lsn: where its commit record starts: the order of transactions.
        end_lsn: where that record ends: the position to confirm, and to resume after.
        commit_time: when it committed.
    """

    commit_lsn: int
    end_lsn: int
    commit_time: float


class Ignored:
    """A message that concerns nobody: of a relation nobody asked for, or a note to the decoder itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "IGNORED"


IGNORED: Final = Ignored()
"""The only instance of `Ignored`: test with `is`."""

Event = Begin | Row | Truncate | Message | Commit | Ignored
