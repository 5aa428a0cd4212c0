"""All checks, in the order in which they are shown."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from daemon.check import access, clocks, hotel, log, ours
from daemon.check.facts import Essentials, Facts
from daemon.check.verdict import Level, Verdict
from daemon.replication import errors

F = TypeVar("F")


class Check(NamedTuple, Generic[F]):
    """name: as shown; judge: its docstring says what should be.

    Templates of the remedies it may give: `faults` go with what is wrong, `warns` with a warning.
    """

    name: str
    judge: Callable[[F], Verdict]
    faults: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()


class Finding(NamedTuple):
    """What a check of that name concluded."""

    check: str
    level: Level
    says: str
    remedy: str


ESSENTIAL: tuple[Check[Essentials], ...] = (
    Check("version", access.version, (access.VERSION_OLD,), (access.VERSION_NEW, access.VERSION_FAULTY)),
    Check("primary", access.primary, (access.IN_RECOVERY,)),
    Check("wal_level", log.wal_level, (errors.WalLevelError.remedy,)),
    Check("replication", access.replication, (errors.NotPermittedError.remedy,)),
    Check("reading", access.reading, (access.READING, access.PUBLIC)),
    Check("columns", hotel.columns, (hotel.COLUMNS,)),
    Check("identities", hotel.identities, (hotel.IDENTITIES,)),
    Check("schema", access.schema, (access.SCHEMA_MISSING, access.SCHEMA_FOREIGN)),
    Check("migrations", ours.migrations, (ours.PENDING, ours.MIGRATED_OTHERWISE)),
    Check("time_zone", clocks.time_zone, (clocks.ZONE_UNKNOWN,), (clocks.ZONE_OTHER,)),
)
"""What `roomwire run` refuses to lead without: it could not work, or would lose changes."""

FURTHER: tuple[Check[Facts], ...] = (
    Check("slots", log.slots, (errors.NoFreeSlotError.remedy,)),
    Check("senders", log.senders, (errors.NoFreeSlotError.remedy,)),
    Check(
        "plugin",
        log.plugin,
        (errors.PluginMissingError.remedy, errors.PluginRefusedError.remedy),
        (log.PLUGIN_OTHER, log.PLUGIN_UNTRIED),
    ),
    Check(
        "publication",
        log.publication,
        (errors.PublicationMissingError.remedy, errors.PublicationFaultyError.remedy),
        (log.PUBLICATION_UNUSED,),
    ),
    Check(
        "slot",
        log.slot,
        (errors.SlotElsewhereError.remedy,),
        (log.SLOT_MISSING, log.SLOT_LOST, log.SLOT_UNREAD, log.SLOT_BEHIND),
    ),
    Check("kept", log.kept, (), (log.KEEP_UNLIMITED, log.KEEP_SHORT, log.KEEP_IDLE)),
    Check("transactions", clocks.transactions, (), (clocks.LONG, clocks.LONG_PREPARED, clocks.HIDDEN)),
    Check("synchronous", clocks.synchronous, (), (clocks.SYNCHRONOUS,)),
    Check("clock", clocks.skew, (clocks.SKEW,), (clocks.SKEW,)),
    Check("restored", ours.restored, (), (ours.RESTORED, ours.UNSEEN)),
    Check("endpoints", ours.endpoints, (), (ours.UNREACHED, ours.UNSEEN)),
    Check("secrets", ours.secrets, (ours.UNREAD,), (ours.UNSEEN,)),
    Check("api", ours.api, (ours.WRITER, ours.STRANGER), (ours.NO_HOLD, ours.UNSEEN)),
)


def judge_essentials(facts: Essentials) -> list[Finding]:
    """What the essential checks find."""
    return [_find(check, facts) for check in ESSENTIAL]


def judge(facts: Facts) -> list[Finding]:
    """What all checks find."""
    return judge_essentials(facts.essentials) + [_find(check, facts) for check in FURTHER]


def _find(check: Check[F], facts: F) -> Finding:
    verdict = check.judge(facts)
    return Finding(check.name, verdict.level, verdict.says, verdict.remedy)
