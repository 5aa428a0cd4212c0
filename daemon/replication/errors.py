"""What can go wrong with replication, each with what to do about it.

`heals` tells the capture loop whether the same attempt may succeed later without anybody's help.
"""


class ReplicationError(Exception):
    """Base of everything this package raises.

    Attributes:
        remedy: one sentence for the operator.
        heals: trying again later may help.
    """

    remedy = "Report this: it is a fault in Roomwire."
    heals = False

    def __str__(self) -> str:
        return f"{super().__str__().rstrip(' .?')}. {self.remedy}"


class ProtocolError(ReplicationError):
    """The server sent a frame that the replication protocol does not know, or only a part of one."""

    remedy = "Roomwire reconnects and reads it again; if it comes back, report it with the server's version."
    heals = True


class DecodeError(ReplicationError):
    """A message of the output plugin is malformed, cut, or refers to something never announced.

    The text says what and where, and quotes nothing of the content, which may be guests' data.
    """

    remedy = "Roomwire reconnects and reads it again; if it comes back, report it with the server's version."
    heals = True

    def __init__(self, what: str, *, where: str, offset: int | None = None) -> None:
        at = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{where}: {what}{at}")


class ConnectionLostError(ReplicationError):
    """The server went away, closed the stream, or has been silent for too long."""

    remedy = "Roomwire reconnects by itself."
    heals = True


class UnreachableError(ConnectionLostError):
    """No connection came about: libpq does not tell a server that is away from one that refuses this role."""

    remedy = "Check ROOMWIRE_DSN, and that `roomwire setup` was run; a server that is away is waited for."


class SlotActiveError(ReplicationError):
    """Another connection holds the slot: another Roomwire leads, or a dead one's has not been noticed yet."""

    remedy = "Roomwire waits for it; the server drops a dead holder after wal_sender_timeout."
    heals = True


class SlotMissingError(ReplicationError):
    """There is no slot of this name."""

    remedy = "Create the slot again and resync: changes since it was dropped are not in any stream."


class SlotLostError(ReplicationError):
    """The server gave the slot up (max_slot_wal_keep_size, idle time, or a restore): its changes are gone."""

    remedy = "Drop the slot, create it again and resync; then raise max_slot_wal_keep_size."


class SlotElsewhereError(ReplicationError):
    """The slot of this name is not ours: of another database, another plugin, or a physical one."""

    remedy = "Choose another name for the slot, or drop that one if nobody uses it."


class SlotWaitingError(ReplicationError):
    """Creating a slot waits until the transactions that are open have ended, and one has not yet."""

    remedy = "Roomwire tries again; if it stays, end the long transaction (pg_stat_activity, xact_start)."
    heals = True


class PluginMissingError(ReplicationError):
    """The server does not have the output plugin."""

    remedy = "Install it on the database server, or use pgoutput, which every server has."


class PluginRefusedError(PluginMissingError):
    """The server has the output plugin perhaps, but its output_plugin_libraries does not admit it."""

    remedy = "Add it to output_plugin_libraries and reload the server, or use pgoutput."


class PublicationMissingError(ReplicationError):
    """The publication does not exist, or did not yet where the slot stands."""

    remedy = "Run `roomwire setup` as the tables' owner, and start `roomwire run` again: it sends everything anew."


class PublicationFaultyError(ReplicationError):
    """The publication leaves out what is needed, or forbids the PMS to write."""

    remedy = "Run `roomwire setup` as the tables' owner, then `roomwire resync`: what it left out is in no stream."


class NotPermittedError(ReplicationError):
    """The role may not replicate from this database, or pg_hba.conf refuses it."""

    remedy = "Give the role REPLICATION and CONNECT (`roomwire setup`), and admit it in pg_hba.conf."


class WalLevelError(ReplicationError):
    """The server does not log what logical decoding needs."""

    remedy = "Set wal_level = logical and restart PostgreSQL."


class NoFreeSlotError(ReplicationError):
    """All of the server's slots or WAL senders are in use."""

    remedy = "Raise max_replication_slots and max_wal_senders, or drop a slot that nobody uses."
    heals = True


class DecodingFailedError(ReplicationError):
    """The server's output plugin gave up."""

    remedy = "Read the server's message; where it names streaming, raise logical_decoding_work_mem."
    heals = True
