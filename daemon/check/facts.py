"""What the checks judge: facts of one moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.replication.errors import ReplicationError
from daemon.replication.slot import SlotState
from daemon.settings import Settings
from sql.check import Clock, Identity, Room, Schema, Server, Table, Transaction
from sql.checkpoint import Checkpoint
from sql.migrate import MigrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Essentials:
    """What `roomwire run` looks at before it leads.

    clock: None where the server does not know the hotels' time zone; pending: migrations that have not run, or why
    they cannot be told.
    """

    settings: Settings
    server: Server
    schema: Schema
    tables: Sequence[Table]
    identities: Sequence[Identity]
    clock: Clock | None
    pending: Sequence[str] | MigrationError


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether an endpoint's host took a connection; error: why it did not."""

    name: str
    address: str
    error: str | None


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Whether the API can work.

    missing: the setting without which it is closed; error: why its role cannot; stranger: the PMS's user that we
    write as is none; no_hold: the PMS lacks its client of rooms that are held.
    """

    missing: str | None = None
    error: str | None = None
    stranger: bool = False
    no_hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that `roomwire check` looks at.

    plugin: what the slot is read with, or will be; publication_fault: None where it is sound; checkpoint: None
    before the first; wal_rate: bytes a second, None where it is not known; skew: seconds that the server's clock is
    ahead of ours, None where it was not told, give or take skew_error; readable: Roomwire's own tables are, without
    which nothing is known of what follows; endpoints: those that are not disabled; unread: those whose secrets
    cannot be read.
    """

    essentials: Essentials
    room: Room
    slot: SlotState
    plugin: str | ReplicationError
    publication_fault: ReplicationError | None
    checkpoint: Checkpoint | None
    wal_rate: float | None
    skew: float | None
    skew_error: float
    transactions: Sequence[Transaction]
    readable: bool
    endpoints: Sequence[Reached]
    unread: Sequence[str]
    api: ApiAccess

    @property
    def settings(self) -> Settings:
        """The settings they were gathered with."""
        return self.essentials.settings
