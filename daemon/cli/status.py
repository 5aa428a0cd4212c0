"""What `roomwire status` shows."""

from dataclasses import dataclass
from datetime import datetime

from daemon.cli.endpoints import describe
from daemon.cli.progress import describe as describe_work
from daemon.cli.running import database
from daemon.replication import slot as slots
from daemon.replication.lsn import format_lsn
from daemon.replication.slot import SlotState
from daemon.settings import Settings
from outbox import endpoints
from sql import checkpoint, documents, scopes
from sql.checkpoint import Checkpoint
from sql.endpoints import Overview
from sql.scopes import Work


@dataclass(frozen=True, slots=True)
class Status:
    """One look at everything; lag_bytes: WAL written and not yet confirmed; documents: kind → how many live."""

    slot_name: str
    slot: SlotState
    checkpoint: Checkpoint | None
    lag_bytes: int
    now: datetime
    work: list[Work]
    endpoints: list[Overview]
    documents: dict[str, int]


async def gather(settings: Settings) -> Status:
    """Look at everything in the database."""
    async with database(settings) as conn:
        slot = await slots.inspect(conn, settings.slot)
        written, now = await checkpoint.written(conn)
        return Status(
            slot_name=settings.slot,
            slot=slot,
            checkpoint=await checkpoint.read(conn, settings.slot),
            lag_bytes=written - (slot.confirmed_flush_lsn or written),
            now=now,
            work=await scopes.listed(conn),
            endpoints=await endpoints.overview(conn),
            documents=await documents.counts(conn),
        )


def render(status: Status) -> str:
    """The status as text, the most urgent first."""
    lines = [f"capture    {_capture(status)}"]
    if status.checkpoint is not None:
        lines.append(f"checkpoint {_checkpoint(status.checkpoint, status.now)}")
    lines.append(f"work       {describe_work(status.work) if status.work else 'none left'}")
    lines.append(f"documents  {', '.join(f'{n:,} {kind}' for kind, n in status.documents.items()) or 'none yet'}")
    lines.append("endpoints  " + ("" if status.endpoints else "none yet: roomwire endpoint add NAME URL"))
    lines += [f"  {describe(row)}" for row in status.endpoints]
    return "\n".join(lines)


def _capture(status: Status) -> str:
    slot = status.slot
    if not slot.exists:
        return f"slot {status.slot_name} does not exist: run `roomwire setup`"
    if slot.lost:
        reason = slot.invalidation_reason or slot.wal_status
        return f"slot {status.slot_name} is lost ({reason}); `roomwire run` heals it"
    if slot.active_pid is None:
        return f"NOBODY LEADS slot {status.slot_name}; {status.lag_bytes:,} bytes of WAL wait: start `roomwire run`"
    return f"leading slot {status.slot_name} ({slot.plugin}), {status.lag_bytes:,} bytes behind"


def _checkpoint(stored: Checkpoint, now: datetime) -> str:
    as_of = "no change yet"
    if stored.committed_at is not None:
        as_of = f"newest change {(now - stored.committed_at).total_seconds():.0f} s ago"
    return f"{format_lsn(stored.end_lsn)}, {as_of}, epoch {stored.epoch}, horizon from {stored.horizon}"
