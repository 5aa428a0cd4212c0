How far the change stream has become documents, and who may say so.

-- name: incarnation
-- The database and the table that it stands in: a dump that is restored stands in others.
(select oid from pg_database where datname = current_database()) || '/' || 'booking_engine.checkpoint'::regclass::oid

-- name: read
select system_id, timeline, epoch, (end_lsn - '0/0')::bigint, committed_at, horizon, incarnation <> {incarnation}, restored_at,
    restored
from booking_engine.checkpoint
where slot = %(slot)s

-- name: start
insert into booking_engine.checkpoint (slot, system_id, timeline, end_lsn, horizon, incarnation)
values (%(slot)s, %(system_id)s, %(timeline)s, '0/0'::pg_lsn + %(end_lsn)s::numeric, %(today)s, {incarnation})
on conflict (slot) do update set
    system_id = excluded.system_id, timeline = excluded.timeline, end_lsn = excluded.end_lsn,
    horizon = excluded.horizon, incarnation = excluded.incarnation, updated_at = clock_timestamp()

-- name: restored
update booking_engine.checkpoint
set restored_at = clock_timestamp(), restored = %(reason)s
where slot = %(slot)s

-- name: lead
update booking_engine.checkpoint
set epoch = epoch + 1, updated_at = clock_timestamp()
where slot = %(slot)s
returning system_id, timeline, epoch, (end_lsn - '0/0')::bigint, committed_at, horizon, incarnation <> {incarnation}, restored_at,
    restored

-- name: advance
update booking_engine.checkpoint
set end_lsn = '0/0'::pg_lsn + %(end_lsn)s::numeric,
    committed_at = greatest(%(committed_at)s, committed_at),
    updated_at = clock_timestamp()
where slot = %(slot)s and epoch = %(epoch)s and end_lsn <= '0/0'::pg_lsn + %(end_lsn)s::numeric
returning epoch

-- name: take
-- Begins a batch in one statement: keeps the leadership, and moves the checkpoint unless the position is null. Where one of
-- the transactions is not visible yet it does nothing but name it. No row at all: another leads.
with hidden as materialized (
    {invisible}
),
moved as (
    update booking_engine.checkpoint
    set end_lsn = coalesce('0/0'::pg_lsn + %(end_lsn)s::numeric, end_lsn),
        committed_at = case when %(end_lsn)s::numeric is null then committed_at
            else greatest(%(committed_at)s, committed_at) end,
        updated_at = case when %(end_lsn)s::numeric is null then updated_at else clock_timestamp() end
    where slot = %(slot)s and epoch = %(epoch)s
        and (%(end_lsn)s::numeric is null or end_lsn <= '0/0'::pg_lsn + %(end_lsn)s::numeric)
        and not exists (select from hidden)
    returning epoch
)
select low from hidden
union all
select null from moved

-- name: hold
-- Keeps the leadership for this transaction.
select epoch from booking_engine.checkpoint where slot = %(slot)s and epoch = %(epoch)s for update

-- name: move_horizon
update booking_engine.checkpoint set horizon = %(today)s where slot = %(slot)s and epoch = %(epoch)s

-- name: invisible
-- A transaction is sent when its commit record is flushed, and seen by others a little later. Begin carries the low
-- 32 bits of its id; it lies within 2^31 of the newest.
select low
from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next_id) now
cross join unnest(%(xids)s::bigint[]) as low
cross join lateral (select (low - next_id) & 4294967295 as ahead) gap
where not pg_visible_in_snapshot(
    (next_id + case when ahead >= 2147483648 then ahead - 4294967296 else ahead end)::text::xid8,
    pg_current_snapshot())

-- name: beat
-- A message in the WAL: it comes back through the slot and shows how late we are.
select (pg_logical_emit_message(true, 'roomwire', %(content)s) - '0/0')::bigint

-- name: written
select (pg_current_wal_lsn() - '0/0')::bigint, clock_timestamp()
