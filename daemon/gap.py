"""What lies between the stored checkpoint and now: whether the stream tells it all, and whether it was put back.

Pure: it judges what the leader has found.
"""

from dataclasses import dataclass

from daemon.replication.slot import SlotState
from daemon.replication.stream import System
from sql.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Found:
    """What there is when the lead is taken.

    before: the slot as it was found; slot: as it is streamed, made anew where it had to be; known_lsn: how far this
    process had brought the checkpoint when it led last, 0 if it never did.
    """

    system: System
    before: SlotState
    slot: SlotState
    known_lsn: int = 0

    def gap(self, stored: Checkpoint | None) -> str | None:
        """Why the stream cannot close the distance from the checkpoint to now, or None where it can.

        A slot that stands further than the checkpoint has thrown away what lies between.
        """
        if stored is None:
            return "the first start"
        if reason := self.put_back(stored):
            return reason
        if stored.timeline != self.system.timeline:
            return "the database was promoted"
        if stored.end_lsn < (self.slot.confirmed_flush_lsn or 0):
            return "the slot is newer than the checkpoint"
        return None

    def put_back(self, stored: Checkpoint | None) -> str | None:
        """Why documents may be older than what engines were sent, or None where they are surely not.

        They are after a restore, and on a standby that was promoted before it had everything. Where our slot was
        copied there by its primary (a failover slot), it had: no such slot is ahead of its standbys. No backup
        brings the slot back where it was: it is missing, or further than the checkpoint. But one that the server
        gave up tells nothing, nor does any to a process that led and finds what it knows.
        """
        if stored is None:
            return None
        known = self.known_lsn > 0
        before, further = self.before, stored.end_lsn < (self.before.confirmed_flush_lsn or 0)
        signs = (
            (stored.system_id != self.system.system_id, "the database is another cluster"),
            (stored.copied, "the database was restored from a dump"),
            (
                stored.timeline != self.system.timeline and not before.synced,
                "the database was restored or promoted",
            ),
            (stored.end_lsn < self.known_lsn, "the checkpoint has gone back"),
            (not (known or before.exists), "the slot is gone, as after a restore"),
            (further and not (known or before.lost), "the checkpoint is older than the slot"),
        )
        return next((reason for sign, reason in signs if sign), None)
