"""A status as JSON, for programs."""

import json
from datetime import datetime
from typing import Any

from daemon.cli.endpoints import shown
from daemon.cli.status import Status
from daemon.cli.status_text import troubles
from daemon.observation import Observation
from daemon.replication.lsn import format_lsn
from sql import feed
from sql.checkpoint import Checkpoint
from sql.endpoints import Overview
from sql.feed import Lagging


def as_json(status: Status) -> str:
    """The status for a program: one line; times in ISO 8601, LSNs as PostgreSQL writes them, null for unknown."""
    seen = status.seen
    found = list(troubles(status))
    return json.dumps(
        {
            "now": seen.now,
            "ok": not found,
            "troubles": found,
            "leader": seen.sender and seen.sender._asdict(),
            "slot": _slot_fields(seen),
            "lag_seconds": status.lag_seconds,
            "held_by": status.holder and status.holder._asdict(),
            "checkpoint": seen.checkpoint and _checkpoint_fields(seen.checkpoint, seen.checkpoint_age),
            "work": {
                "pieces": [[w.kind, w.hotel_id, w.reason, w.done, w.total] for w in seen.work],
                "keys_left": status.keys_left,
                "keys_per_second": status.keys_per_second,
                "seconds_left": status.seconds_left,
            },
            "documents": status.documents,
            "conflicts": seen.conflicts,
            "bookings": {one.status: one.bookings for one in seen.bookings},
            "feed": {
                "position": seen.feed.head,
                "waiting_seconds": feed.age(seen.feed.waits, seen.now),
                "cursors": [_cursor_fields(row, seen.now) for row in seen.cursors],
            },
            "endpoints": [_endpoint_fields(row, seen.now) for row in seen.endpoints],
            "failures": [failure._asdict() for failure in status.failures],
            "replays": [replay._asdict() for replay in status.replays],
            "refused": [refused._asdict() for refused in status.refused],
        },
        default=datetime.isoformat,
        ensure_ascii=False,
    )


def _slot_fields(seen: Observation) -> dict[str, Any]:
    slot = seen.slot
    return {
        "name": seen.slot_name,
        "exists": slot.exists,
        "lost": slot.lost,
        "plugin": slot.plugin,
        "active_pid": slot.active_pid,
        "wal_status": slot.wal_status,
        "invalidation_reason": slot.invalidation_reason,
        "safe_bytes": slot.safe_wal_size,
        "confirmed_lsn": slot.confirmed_flush_lsn and format_lsn(slot.confirmed_flush_lsn),
        "confirmed_lag_bytes": seen.confirmed_lag,
        "restart_lsn": slot.restart_lsn and format_lsn(slot.restart_lsn),
        "restart_lag_bytes": seen.restart_lag,
    }


def _checkpoint_fields(stored: Checkpoint, age_seconds: float | None) -> dict[str, Any]:
    return {
        "end_lsn": format_lsn(stored.end_lsn),
        "age_seconds": age_seconds,
        "committed_at": stored.committed_at,
        "epoch": stored.epoch,
        "horizon": str(stored.horizon),
        "restored_at": stored.restored_at,
        "restored": stored.restored,
    }


def _cursor_fields(row: Lagging, now: datetime) -> dict[str, Any]:
    return row._asdict() | {"lag_seconds": row.seconds(now)}


def _endpoint_fields(row: Overview, now: datetime) -> dict[str, Any]:
    return {
        "name": row.name,
        "url": shown(row.url),
        "status": row.status,
        "reason": row.reason,
        "first_sync_due": row.filling,
        "behind": row.behind,
        "oldest_seconds": row.oldest and (now - row.oldest).total_seconds(),
        "refused": row.rejected,
        "failures": row.failures,
        "retry_at": row.retry_at,
        "last_error": row.last_error,
        "last_success_at": row.last_success_at,
    }
