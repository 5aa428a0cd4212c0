"""Checks of the server's log and of what reads it: slots, senders, and how much log is kept."""

from typing import Final

from daemon.check.facts import Essentials, Facts
from daemon.check.verdict import Verdict, failed, ok, size, span, warning
from daemon.replication.errors import (
    NoFreeSlotError,
    PluginMissingError,
    ReplicationError,
    SlotElsewhereError,
    WalLevelError,
)

KEEP_UNLIMITED = "Set max_slot_wal_keep_size to what the disk can spare, and to {size} or more."
KEEP_SHORT = "Raise max_slot_wal_keep_size to {size} or more, if the disk can spare it."
KEEP_IDLE = "Set idle_replication_slot_timeout to a day or more, or to 0."
SLOT_MISSING = "Nothing to do: `roomwire run` makes it, and sends everything anew."
SLOT_LOST = (
    "Nothing to do: `roomwire run` makes it anew and compares everything. Then raise max_slot_wal_keep_size."
)
SLOT_UNREAD = "Start `roomwire run`: until then the server keeps the log."
SLOT_BEHIND = "See with `roomwire status` what it waits for; the server keeps the log until then."
PLUGIN_OTHER = (
    "Set ROOMWIRE_PLUGIN={plugin}. Or drop the slot while `roomwire run` is stopped, to have {wish}: "
    "everything is sent anew then."
)
PLUGIN_UNTRIED = "Heal that first, then run `roomwire check` again."
PUBLICATION_UNUSED = "Run `roomwire setup` as the tables' owner: wal2json does not read it, but pgoutput would."

_DAY: Final = 86_400.0
_SHORT: Final = 4 * 3600.0
_MUCH: Final = 1 << 30
_LEAST: Final = 1 << 30


def wal_level(facts: Essentials) -> Verdict:
    """wal_level is logical."""
    if facts.server.wal_level != "logical":
        return failed(WalLevelError(f"wal_level is {facts.server.wal_level}"))
    return ok("wal_level is logical")


def slots(facts: Facts) -> Verdict:
    """There is a slot for us, or a free place for one."""
    used, most = facts.room.slots_used, facts.room.slots
    if used >= most and not facts.slot.exists:
        return failed(NoFreeSlotError(f"All of the {most} replication slots are in use"))
    return ok(f"{used} of {most} replication slots are in use")


def senders(facts: Facts) -> Verdict:
    """There is a WAL sender for us, or a free place for one."""
    used, most = facts.room.senders_used, facts.room.senders
    if used >= most and facts.slot.active_pid is None:
        return failed(NoFreeSlotError(f"All of the {most} WAL senders are in use"))
    return ok(f"{used} of {most} WAL senders are in use")


def plugin(facts: Facts) -> Verdict:
    """The slot's output plugin works here, and is the one that was asked for."""
    found, wish = facts.plugin, facts.settings.plugin
    if isinstance(found, PluginMissingError):
        return failed(found)
    if isinstance(found, ReplicationError):
        return warning(f"The plugin could not be tried: {found.args[0]}", PLUGIN_UNTRIED)
    if facts.slot.exists and wish not in ("auto", found):
        return warning(
            f"Slot {facts.settings.slot} was made with {found}, not with {wish}",
            PLUGIN_OTHER.format(wish=wish, plugin=found),
        )
    return ok(f"{found} works here")


def publication(facts: Facts) -> Verdict:
    """The publication sends what is needed, and forbids the PMS nothing. wal2json reads none."""
    fault, name = facts.publication_fault, facts.settings.publication
    if fault is None:
        return ok(f"Publication {name} is sound")
    if facts.plugin == "wal2json":
        return warning(str(fault.args[0]), PUBLICATION_UNUSED)
    return failed(fault)


def kept(facts: Facts) -> Verdict:
    """max_slot_wal_keep_size: without a limit a slot that is not read fills the disk; too small a one loses it."""
    room, rate = facts.room, facts.wal_rate
    known = f" at {size(rate * 3600)} of log an hour" if rate else ""
    advised = _round_up((rate or 0) * _DAY, room.max_wal_size)
    if room.keep_size is None:
        return warning(
            f"max_slot_wal_keep_size is not set: while nobody reads the slot the log grows without limit{known}",
            KEEP_UNLIMITED.format(size=size(advised)),
        )
    lasts = room.keep_size / rate if rate else None
    if room.keep_size < room.max_wal_size or (lasts is not None and lasts < _SHORT):
        hours = f", {span(lasts)}{known}" if lasts is not None else ""
        return warning(
            f"max_slot_wal_keep_size is {size(room.keep_size)}{hours}: the slot is lost after a short outage",
            KEEP_SHORT.format(size=size(advised)),
        )
    if room.idle_timeout is not None and room.idle_timeout < _DAY:
        return warning(f"A slot that is not read for {span(room.idle_timeout)} is given up", KEEP_IDLE)
    return ok(
        f"The slot outlasts {size(room.keep_size)} of log"
        + (f", {span(lasts)}{known}" if lasts is not None else "")
    )


def slot(facts: Facts) -> Verdict:
    """Our slot is there, is ours, and is read."""
    state, name = facts.slot, facts.settings.slot
    if not state.exists:
        return warning(f"There is no slot {name}", SLOT_MISSING)
    if not state.here:
        return failed(SlotElsewhereError(f"Slot {name} is not a logical slot of this database"))
    if state.lost:
        return warning(f"Slot {name} is lost ({state.invalidation_reason or state.wal_status})", SLOT_LOST)
    written = facts.essentials.clock.written if facts.essentials.clock else None
    behind = max(0, written - (state.confirmed_flush_lsn or 0)) if written else 0
    if state.active_pid is None and facts.checkpoint is not None:
        return warning(f"Nobody reads slot {name}, {size(behind)} of log behind", SLOT_UNREAD)
    if behind > _MUCH or state.wal_status == "unreserved":
        return warning(f"Slot {name} is {size(behind)} of log behind", SLOT_BEHIND)
    reader = "not read yet" if state.active_pid is None else f"read by process {state.active_pid}"
    return ok(f"Slot {name} is {reader}, {size(behind)} of log behind")


def _round_up(amount: float, least: int) -> int:
    """To whole GB, and no less than the server keeps anyway."""
    return max(-int(-amount // _LEAST) * _LEAST, _LEAST, 2 * least)
