"""What `roomwire check` may find, and what it then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from daemon.check import access, clocks, hotel, log, ours
from daemon.check.facts import ApiAccess, Facts, Reached
from daemon.check.verdict import Level
from daemon.replication import errors
from daemon.replication.slot import SlotState
from sql.check import Identity, Transaction
from sql.checkpoint import Checkpoint
from sql.migrate import MigrationError
from tests.unit.check.facts import (
    CLOCK,
    GB,
    HEALTHY,
    IDENTITIES,
    ROOM,
    SCHEMA,
    SERVER,
    SLOT,
    essentials,
    facts,
    table,
)

PGOUTPUT = HEALTHY.settings.model_copy(update={"plugin": "pgoutput"})
UNREAD = replace(SLOT, active_pid=None)


def put_back(*, hours: float) -> Checkpoint:
    """The checkpoint of a database that was found put back so long ago."""
    assert HEALTHY.checkpoint is not None
    at = datetime.fromtimestamp(CLOCK.now - hours * 3600, UTC)
    return replace(HEALTHY.checkpoint, restored_at=at, restored="it has gone back")


# check, facts, level, words of what it says, template of the remedy
CASES: list[tuple[str, Facts, Level, str, str]] = [
    ("version", essentials(server=replace(SERVER, version=140_020)), Level.wrong, "14.20", access.VERSION_OLD),
    ("version", essentials(server=replace(SERVER, version=190_000)), Level.warning, "19.0", access.VERSION_NEW),
    (
        "version",
        essentials(server=replace(SERVER, version=170_005)),
        Level.warning,
        "PostgreSQL 17.5 has known faults: decoding beside much DDL",
        access.VERSION_FAULTY,
    ),
    (
        "version",
        essentials(server=replace(SERVER, version=160_008)),
        Level.warning,
        "16.8 has known faults: changes are lost",
        access.VERSION_FAULTY,
    ),
    ("primary", essentials(server=replace(SERVER, in_recovery=True)), Level.wrong, "standby", access.IN_RECOVERY),
    (
        "wal_level",
        essentials(server=replace(SERVER, wal_level="replica")),
        Level.wrong,
        "wal_level is replica",
        errors.WalLevelError.remedy,
    ),
    (
        "replication",
        essentials(server=replace(SERVER, may_replicate=False)),
        Level.wrong,
        "does not have REPLICATION",
        errors.NotPermittedError.remedy,
    ),
    (
        "reading",
        essentials(tables=table("rooms", hidden=["id"])),
        Level.wrong,
        "may not read rooms",
        access.READING,
    ),
    ("reading", essentials(schema=replace(SCHEMA, sees_public=False)), Level.wrong, "schema public", access.PUBLIC),
    ("columns", essentials(tables=table("rooms", present=False)), Level.wrong, "no table rooms", hotel.COLUMNS),
    (
        "columns",
        essentials(tables=table("hotels", columns=["id"])),
        Level.wrong,
        "Table hotels has no column address, created_at",
        hotel.COLUMNS,
    ),
    (
        "identities",
        essentials(identities=[*IDENTITIES, Identity("rooms", ["id"], 2, "rooms_7")]),
        Level.wrong,
        "rows of rooms_7 and 1 more are deleted",
        hotel.IDENTITIES,
    ),
    (
        "schema",
        essentials(schema=replace(SCHEMA, present=False, owner=None, owned=False)),
        Level.wrong,
        "no schema booking_engine",
        access.SCHEMA_MISSING,
    ),
    (
        "schema",
        essentials(schema=replace(SCHEMA, owner="boss", owned=False)),
        Level.wrong,
        "belongs to boss, not to capture",
        access.SCHEMA_FOREIGN,
    ),
    ("migrations", essentials(pending=["0002 more"]), Level.wrong, "0002 more", ours.PENDING),
    (
        "migrations",
        essentials(pending=MigrationError("the database has migration 0009")),
        Level.wrong,
        "The database has migration 0009",
        ours.MIGRATED_OTHERWISE,
    ),
    ("time_zone", essentials(clock=None), Level.wrong, "does not know", clocks.ZONE_UNKNOWN),
    (
        "time_zone",
        essentials(clock=replace(CLOCK, zone_offset=8 * 3600)),
        Level.warning,
        "8:00:00 from UTC there, 9:00:00 here",
        clocks.ZONE_OTHER,
    ),
    (
        "slots",
        facts(room=replace(ROOM, slots_used=10), slot=SlotState(False)),
        Level.wrong,
        "All of the 10 replication slots",
        errors.NoFreeSlotError.remedy,
    ),
    (
        "senders",
        facts(room=replace(ROOM, senders_used=10), slot=UNREAD),
        Level.wrong,
        "All of the 10 WAL senders",
        errors.NoFreeSlotError.remedy,
    ),
    (
        "plugin",
        facts(plugin=errors.PluginMissingError("no wal2json")),
        Level.wrong,
        "no wal2json",
        errors.PluginMissingError.remedy,
    ),
    (
        "plugin",
        facts(plugin=errors.PluginRefusedError("not admitted")),
        Level.wrong,
        "not admitted",
        errors.PluginRefusedError.remedy,
    ),
    ("plugin", facts(plugin=errors.NoFreeSlotError("full")), Level.warning, "tried: full", log.PLUGIN_UNTRIED),
    ("plugin", essentials(settings=PGOUTPUT), Level.warning, "made with wal2json, not with", log.PLUGIN_OTHER),
    (
        "publication",
        facts(publication_fault=errors.PublicationMissingError("There is none"), plugin="pgoutput"),
        Level.wrong,
        "There is none",
        errors.PublicationMissingError.remedy,
    ),
    (
        "publication",
        facts(publication_fault=errors.PublicationFaultyError("It lacks rooms"), plugin="pgoutput"),
        Level.wrong,
        "It lacks rooms",
        errors.PublicationFaultyError.remedy,
    ),
    (
        "publication",
        facts(publication_fault=errors.PublicationMissingError("There is none")),
        Level.warning,
        "There is none",
        log.PUBLICATION_UNUSED,
    ),
    ("slot", facts(slot=SlotState(False)), Level.warning, "no slot roomwire", log.SLOT_MISSING),
    (
        "slot",
        facts(slot=replace(SLOT, here=False)),
        Level.wrong,
        "not a logical slot of this database",
        errors.SlotElsewhereError.remedy,
    ),
    ("slot", facts(slot=replace(UNREAD, wal_status="lost")), Level.warning, "is lost (lost)", log.SLOT_LOST),
    (
        "slot",
        facts(slot=replace(UNREAD, invalidation_reason="idle_timeout")),
        Level.warning,
        "is lost (idle_timeout)",
        log.SLOT_LOST,
    ),
    ("slot", facts(slot=UNREAD), Level.warning, "Nobody reads slot roomwire, 100 bytes", log.SLOT_UNREAD),
    ("slot", facts(slot=replace(SLOT, confirmed_flush_lsn=GB)), Level.warning, "4.0 GB of log", log.SLOT_BEHIND),
    ("slot", facts(slot=replace(SLOT, wal_status="unreserved")), Level.warning, "100 bytes", log.SLOT_BEHIND),
    (
        "kept",
        facts(room=replace(ROOM, keep_size=None)),
        Level.warning,
        "without limit at 69 MB of log an hour",
        log.KEEP_UNLIMITED,
    ),
    (
        "kept",
        facts(room=replace(ROOM, keep_size=2 * GB), wal_rate=1_000_000.0),
        Level.warning,
        "is 2.0 GB, 36 min at 3.4 GB of log an hour",
        log.KEEP_SHORT,
    ),
    ("kept", facts(room=replace(ROOM, keep_size=GB // 2), wal_rate=None), Level.warning, "512 MB:", log.KEEP_SHORT),
    (
        "kept",
        facts(room=replace(ROOM, idle_timeout=3600.0)),
        Level.warning,
        "for 60 min is given up",
        log.KEEP_IDLE,
    ),
    (
        "transactions",
        facts(transactions=[Transaction("42", "desk", 7200.0), Transaction("43", "desk", 400.0)]),
        Level.warning,
        "42 (desk) has been open for 2 h, and 1 more",
        clocks.LONG,
    ),
    (
        "transactions",
        facts(transactions=[Transaction("import", "boss, prepared", 400.0)]),
        Level.warning,
        "import (boss, prepared) has been open for 7 min",
        clocks.LONG_PREPARED,
    ),
    (
        "transactions",
        facts(transactions=[Transaction("42", "desk", None)]),
        Level.warning,
        "1 open transactions of others",
        clocks.HIDDEN,
    ),
    ("synchronous", facts(room=replace(ROOM, synchronous="kyoto")), Level.warning, "(kyoto)", clocks.SYNCHRONOUS),
    ("clock", facts(skew=-3.0), Level.warning, "3.0 s behind ours", clocks.SKEW),
    ("clock", facts(skew=300.0), Level.wrong, "300.0 s ahead of ours", clocks.SKEW),
    (
        "endpoints",
        facts(endpoints=[Reached("one", "one:443", None), Reached("two", "two:80", "refused")]),
        Level.warning,
        "Not reached: two (two:80: refused)",
        ours.UNREACHED,
    ),
    (
        "restored",
        facts(checkpoint=put_back(hours=70)),
        Level.warning,
        "put back, 2026-11-15 13:06 UTC: it has gone back",
        ours.RESTORED,
    ),
    *(
        (check, facts(readable=False, checkpoint=None), Level.warning, "cannot be seen", ours.UNSEEN)
        for check in ("restored", "endpoints", "secrets", "api")
    ),
    ("secrets", facts(unread=["one", "two"]), Level.wrong, "sent to one, two: their secrets", ours.UNREAD),
    ("api", facts(api=ApiAccess(error="it may not read hold")), Level.wrong, "it may not read hold", ours.WRITER),
    ("api", facts(api=ApiAccess(stranger=True)), Level.wrong, "no user 2", ours.STRANGER),
    ("api", facts(api=ApiAccess(no_hold=True)), Level.warning, "client of rooms that are held", ours.NO_HOLD),
]

FINE: list[tuple[str, Facts]] = [
    ("version", essentials(server=replace(SERVER, version=180_000))),
    ("version", essentials(server=replace(SERVER, version=160_010))),
    ("slots", facts(room=replace(ROOM, slots_used=10))),
    ("senders", facts(room=replace(ROOM, senders_used=10))),
    ("reading", essentials(tables=table("rooms", hidden=["extra"]))),
    ("slot", facts(slot=UNREAD, checkpoint=None)),
    ("kept", facts(wal_rate=None)),
    ("clock", facts(skew=3.0, skew_error=1.5)),
    ("clock", facts(skew=None)),
    ("endpoints", facts(endpoints=[Reached("one", "one:443", None)])),
    ("restored", facts(checkpoint=put_back(hours=73))),
    ("restored", facts(checkpoint=None)),
    ("secrets", facts()),
    ("api", facts(api=ApiAccess(missing="ROOMWIRE_WRITER_DSN"))),
]
