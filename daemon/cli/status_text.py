"""A status in words, the most urgent first."""

from collections.abc import Iterator
from datetime import datetime

from daemon.check.verdict import size, span
from daemon.cli.endpoints import shown
from daemon.cli.progress import describe as describe_work
from daemon.cli.replay import describe as described_replay
from daemon.cli.status import Status
from daemon.observation import Observation
from daemon.replication.lsn import format_lsn
from outbox.keys import written
from sql import feed
from sql.endpoints import Overview
from sql.feed import Lagging
from sql.watch import Holder

LATE_SECONDS = 60.0
_LATE_READER_SECONDS = 3600.0
_LONG_OPEN_SECONDS = 60.0
_MANY_YOUNGER = 100


def troubles(status: Status) -> Iterator[str]:
    """What needs somebody, the most urgent first, each with what to do."""
    seen = status.seen
    if not seen.slot.exists:
        yield f"slot {seen.slot_name} does not exist: `roomwire run` makes it and sends everything anew"
    elif seen.slot.lost:
        reason = seen.slot.invalidation_reason or seen.slot.wal_status
        yield f"slot {seen.slot_name} is lost ({reason}): `roomwire run` makes it anew and resyncs"
    elif seen.slot.active_pid is None:
        yield f"NOBODY LEADS: {size(seen.confirmed_lag)} of log wait; start `roomwire run`, or read its log"
    if (status.lag_seconds or 0.0) > LATE_SECONDS:
        yield f"changes come {span(status.lag_seconds or 0.0)} late: see what holds them in the leader's log"
    if seen.slot.wal_status == "unreserved":
        yield "the server is about to give the slot up: raise max_slot_wal_keep_size now"
    if any(one.kind == "versions" for one in seen.work):
        yield "the database was put back: everything is being sent again, and what is gone withdrawn"
    for row in seen.endpoints:
        yield from _endpoint_troubles(row)
    yield from _feed_troubles(seen)
    if seen.conflicts:
        yield f"{seen.conflicts:,} nights of bookings are in rooms that another stay has, too: roomwire conflicts"
    for one in seen.bookings:
        waits = (seen.now - one.oldest).total_seconds()
        if one.status == "pending" and waits > LATE_SECONDS:
            yield (
                f"{one.bookings:,} bookings are not decided, one for {span(waits)}: their engine has to ask again"
                " with the same key; roomwire bookings --status pending"
            )


def _endpoint_troubles(row: Overview) -> Iterator[str]:
    if row.status == "disabled":
        yield f"endpoint {row.name} is disabled ({row.reason}): enable or remove it by `roomwire endpoint`"
    elif row.status == "paused" and row.retry_at is None:
        yield f"endpoint {row.name} is paused ({row.reason}): `roomwire endpoint resume {row.name}`"
    elif row.failures:
        yield f"endpoint {row.name} does not answer"
    if row.rejected:
        remedy = f"mend it, then `roomwire delivery retry --endpoint {row.name}`"
        yield f"endpoint {row.name} refuses {row.rejected:,} keys: {remedy}"


def _feed_troubles(seen: Observation) -> Iterator[str]:
    waits = feed.age(seen.feed.waits, seen.now)
    if waits > LATE_SECONDS:
        yield f"changes have waited {span(waits)} for their place in the feed: the log says why"
    for row in seen.cursors:
        if row.expired:
            yield f"cursor {row.name} of {row.client} has missed events: begin anew, or remove it"
        elif row.seconds(seen.now) > _LATE_READER_SECONDS:
            yield f"cursor {row.name} of {row.client} is {span(row.seconds(seen.now))} late: look after its reader"


def as_text(status: Status) -> str:
    """The status for a person, line by line."""
    seen = status.seen
    found = list(troubles(status))
    lines = [f"{seen.now:%Y-%m-%d %H:%M:%S} UTC  " + ("All is well." if not found else "LOOK HERE:")]
    lines += [f"  - {trouble}" for trouble in found]
    lines += [
        f"leader     {_leader(seen)}",
        f"slot       {_slot(seen)}",
        f"lag        {_lag(status)}",
        f"log kept   {_kept(status)}",
        f"checkpoint {_checkpoint(seen)}",
        *_restored(seen),
        f"work       {_work(status)}",
        f"documents  {', '.join(f'{n:,} {kind}' for kind, n in status.documents.items()) or 'none yet'}",
        "endpoints  " + ("" if seen.endpoints else "none yet: roomwire endpoint add NAME URL"),
    ]
    for row in seen.endpoints:
        lines += _endpoint(row, seen.now)
    lines += [f"  {described_replay(row)}" for row in status.replays]
    lines.append(f"bookings   {_bookings(seen)}")
    lines += [f"feed       {_feed(seen)}", *(_cursor(row, seen.now) for row in seen.cursors)]
    failing = {row.name for row in seen.endpoints if row.failures}
    if failures := [f for f in status.failures if f.endpoint not in failing]:
        lines.append("last failed send to each that answers")
        lines += [f"  {f.endpoint}: {f.type} {_ago(f.at, seen.now)}: {f.error or f.outcome}" for f in failures]
    if status.refused:
        lines.append("refused keys, the newest")
        lines += [f"  {r.endpoint}: {written(r.kind, r.hotel_id, r.id)}: {r.error}" for r in status.refused]
    return "\n".join(lines)


def _leader(seen: Observation) -> str:
    if seen.sender is None:
        return "nobody" if seen.slot.active_pid is None else f"pid {seen.slot.active_pid}, of another role"
    sender = seen.sender
    if sender.since is None:
        return f"{sender.application}, pid {sender.pid} of the server, of another role"
    held = span((seen.now - sender.since).total_seconds())
    where = f"{sender.application} from {sender.address}, pid {sender.pid} of the server"
    return f"{where}, for {held} (since {sender.since:%Y-%m-%d %H:%M:%S})"


def _slot(seen: Observation) -> str:
    slot = seen.slot
    if not slot.exists:
        return f"{seen.slot_name}, missing"
    safe = "" if slot.safe_wal_size is None else f", {size(max(slot.safe_wal_size, 0))} until it is lost"
    return f"{seen.slot_name} ({slot.plugin}), {slot.wal_status or 'state unknown'}{safe}"


def _lag(status: Status) -> str:
    seconds = status.lag_seconds
    late = "nobody follows" if seconds is None else f"{seconds:.1f} s"
    return f"{late}, {size(status.seen.confirmed_lag)} of log not confirmed"


def _kept(status: Status) -> str:
    seen = status.seen
    if not seen.slot.restart_lsn:
        return "none"
    kept = f"{size(seen.restart_lag)}, from {format_lsn(seen.slot.restart_lsn)}"
    if 2 * seen.confirmed_lag >= seen.restart_lag:
        return f"{kept}, for what is not confirmed yet"
    return f"{kept}, {_held_by(status.holder, seen.now)}"


def _held_by(holder: Holder | None, now: datetime) -> str:
    if holder is not None and holder.since is not None:
        open_for = (now - holder.since).total_seconds()
        if open_for >= _LONG_OPEN_SECONDS:
            return (
                f"held by {holder.who} in {holder.database}, whose transaction has been open for {span(open_for)}"
            )
    elif holder is not None and holder.younger >= _MANY_YOUNGER:
        younger = f"{holder.younger:,} transactions have begun since its own"
        return f"held by {holder.who} in {holder.database}: {younger}"
    return "held by no long transaction: it moves with the server's next snapshot"


def _checkpoint(seen: Observation) -> str:
    stored = seen.checkpoint
    if stored is None:
        return "none yet"
    newest = (
        "no change yet" if stored.committed_at is None else f"newest change {_ago(stored.committed_at, seen.now)}"
    )
    written = f"written {span(seen.checkpoint_age or 0.0)} ago"
    return f"{format_lsn(stored.end_lsn)}, {written}, {newest}, epoch {stored.epoch}, horizon from {stored.horizon}"


def _restored(seen: Observation) -> Iterator[str]:
    stored = seen.checkpoint
    if stored is not None and stored.restored_at is not None:
        yield f"restored   {_ago(stored.restored_at, seen.now)}: {stored.restored}"


def _work(status: Status) -> str:
    if not status.seen.work:
        return "none left"
    if status.seconds_left is None:
        pace = "it is not moving"
    else:
        pace = f"{status.keys_per_second:,.0f}/s, about {span(status.seconds_left)} left"
    return f"{describe_work(status.seen.work)}; {status.keys_left:,} keys left, {pace}"


def _endpoint(row: Overview, now: datetime) -> list[str]:
    oldest = f", the oldest for {span((now - row.oldest).total_seconds())}" if row.oldest else ""
    state = "first sync begins" if row.filling else f"behind on {row.lacks}{oldest}" if row.behind else "up to date"
    if row.status == "disabled":
        state = f"disabled: {row.reason}"
    elif row.status != "healthy":
        why = "" if row.failures else f": {row.reason}"
        state = f"{row.status}{why}; {state}"
    refused = f", {row.rejected:,} of them refused" if row.rejected else ""
    lines = [f"  {row.name}  {state}{refused}  {shown(row.url)}"]
    if row.failures:
        again = f"next try {row.retry_at:%H:%M:%S}" if row.retry_at else "trying"
        lines.append(f"      {row.failures} failures in a row, {again}: {row.last_error}")
    return lines


def _bookings(seen: Observation) -> str:
    return ", ".join(f"{one.bookings:,} {one.status}" for one in seen.bookings) or "every one went through"


def _feed(seen: Observation) -> str:
    if not seen.feed.head:
        return "no event yet"
    return f"position {seen.feed.head}, given {span(feed.age(seen.feed.head, seen.now))} ago"


def _cursor(row: Lagging, now: datetime) -> str:
    if row.expired:
        left = "has missed events"
    elif row.behind:
        left = f"behind on {row.behind:,} events, the oldest for {span(row.seconds(now))}"
    else:
        left = "up to date"
    return f"  {row.name} of {row.client}  {left}"


def _ago(at: datetime, now: datetime) -> str:
    return f"{span(max((now - at).total_seconds(), 0.0))} ago"
