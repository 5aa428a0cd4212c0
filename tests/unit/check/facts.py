"""Facts of a server where nothing is wrong, to be changed one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import SecretStr

from daemon.check.facts import ApiAccess, Essentials, Facts
from daemon.replication.slot import SlotState
from daemon.settings import Settings
from sql.check import Clock, Identity, Room, Schema, Server, Table
from sql.checkpoint import Checkpoint
from sql.pms.columns import IDENTITY, READ

GB = 1 << 30

SERVER = Server(150018, "logical", in_recovery=False, database="pms", role="capture", may_replicate=True)
SCHEMA = Schema("capture", present=True, owner="capture", owned=True, sees_public=True)
TABLES = [Table(name, present=True, columns=[*columns, "extra"], hidden=[]) for name, columns in READ.items()]
IDENTITIES = [Identity(root, [*told], 3, f"{root}_1") for root, told in IDENTITY.items()]
CLOCK = Clock(now=1_795_000_000.0, written=5 * GB, zone_offset=9 * 3600)
ROOM = Room(3, 10, 2, 10, 50 * GB, GB, None, 20_000.0, "")
SLOT = SlotState(True, here=True, plugin="wal2json", active_pid=77, confirmed_flush_lsn=5 * GB - 100)

HEALTHY = Facts(
    essentials=Essentials(
        settings=Settings(dsn=SecretStr("dbname=pms")),
        server=SERVER,
        schema=SCHEMA,
        tables=TABLES,
        identities=IDENTITIES,
        clock=CLOCK,
        pending=[],
    ),
    room=ROOM,
    slot=SLOT,
    plugin="wal2json",
    publication_fault=None,
    checkpoint=Checkpoint("7500", 1, 1, 5 * GB - 100, None, date(2026, 11, 23)),
    wal_rate=20_000.0,
    skew=0.001,
    skew_error=0.002,
    transactions=[],
    readable=True,
    endpoints=[],
    unread=[],
    api=ApiAccess(),
)


def essentials(**other: Any) -> Facts:
    """Healthy but for these essentials."""
    return replace(HEALTHY, essentials=replace(HEALTHY.essentials, **other))


def facts(**other: Any) -> Facts:
    """Healthy but for these facts."""
    return replace(HEALTHY, **other)


def table(name: str, **other: Any) -> list[Table]:
    """The healthy tables, one of them changed."""
    return [replace(found, **other) if found.name == name else found for found in TABLES]
