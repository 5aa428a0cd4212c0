"""A look at a database that is well, to be changed as a test needs it."""

from datetime import UTC, date, datetime, timedelta

from daemon.observation import Observation
from daemon.replication.slot import SlotState
from sql.checkpoint import Checkpoint
from sql.endpoints import Overview
from sql.feed import Lagging, Standing
from sql.watch import Sender

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SLOT = SlotState(
    exists=True,
    here=True,
    plugin="pgoutput",
    active_pid=4711,
    confirmed_flush_lsn=0x2000,
    restart_lsn=0x1000,
    wal_status="reserved",
    safe_wal_size=1 << 30,
)
ENDPOINT = Overview(
    id=1,
    name="engine",
    url="https://engine.example/hook?token=SECRET",
    format="standard-webhooks",
    public_key=None,
    old_secret_until=None,
    ca=None,
    headers=[],
    status="healthy",
    reason=None,
    hotels=None,
    types=None,
    bookings="all",
    guest_data=False,
    max_bytes=20_000,
    concurrency=8,
    rate_per_second=0.0,
    heartbeat_seconds=60,
    failures=0,
    retry_at=None,
    last_error=None,
    last_success_at=NOW,
    filling=False,
    revision=1,
    behind=3,
    rejected=0,
    oldest=NOW - timedelta(seconds=90),
)
SEEN = Observation(
    slot_name="roomwire",
    slot=SLOT,
    sender=Sender(4711, "roomwire capture", "10.0.0.5", NOW - timedelta(hours=5), 0.25),
    checkpoint=Checkpoint("1", 1, 3, 0x2000, NOW - timedelta(seconds=5), date(2026, 3, 1)),
    checkpoint_age=2.0,
    written=0x2400,
    now=NOW,
    work=[],
    endpoints=[ENDPOINT],
    conflicts=0,
    bookings=[],
    feed=Standing(1_772_334_000_000_000, None),
    cursors=[Lagging("web", "website", 1_772_333_900_000_000, NOW, False, 4, 1_772_333_940_000_000)],
)
