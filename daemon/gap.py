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

    before: the slot as it was found; slot: as it is streamed, made anew where it had to be; led_epoch, known_lsn:
    of this process's own last lead, and how far it had brought the checkpoint then; 0 if it never led.
    """

    system: System
    before: SlotState
    slot: SlotState
    led_epoch: int = 0
    known_lsn: int = 0

    def gap(self, stored: Checkpoint | None) -> str | None:
        """Why the stream cannot close the distance from the checkpoint to now, or None where it can.

        A slot that stands further than the checkpoint has thrown away what lies between.
        """
        if stored is None:
            return "the first start"
        if reason := self.put_back(stored):
            return reason
        if stored.end_lsn < (self.slot.confirmed_flush_lsn or 0):
            return "the slot is newer than the checkpoint"
        return None

    def put_back(self, stored: Checkpoint | None) -> str | None:
        """Why documents may be older than what engines were sent, or None where they are surely not.

        They are after a restore, and on a standby that was promoted before it had everything: a slot that was
        copied there does not tell that it had, for the API's bookings are sent without waiting for any standby.
        No backup brings the slot back where it was: it is missing, or further than the checkpoint. But one that
        the server gave up tells nothing, nor does any to a process that led last and finds what it knows.

        What cannot be told from a restore is taken for one, which only sends more: a slot that was dropped, by hand
        or by another process for its publication, and a lost one that was made anew by a process that died, or was
        overtaken, before it led.
        """
        if stored is None:
            return None
        known = 0 < self.led_epoch == stored.epoch
        before, further = self.before, stored.end_lsn < (self.before.confirmed_flush_lsn or 0)
        signs = (
            (stored.system_id != self.system.system_id, "the database is another cluster"),
            (stored.copied, "the database was restored from a dump"),
            (stored.timeline != self.system.timeline, "the database was restored or promoted"),
            (
                (stored.epoch, stored.end_lsn) < (self.led_epoch, self.known_lsn),
                "the checkpoint has gone back",
            ),
            (not (known or before.exists), "the slot is gone, as after a restore"),
            (further and not (known or before.lost), "the checkpoint is older than the slot"),
        )
        return next((reason for sign, reason in signs if sign), None)
