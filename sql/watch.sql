Looking at how it goes: for `roomwire status`, metrics and readiness.

-- name: sender
-- Who streams the slot. A role sees its own sessions whole, others' without their times.
select s.pid, s.application_name, coalesce(host(s.client_addr), 'the same machine'), s.backend_start,
    extract(epoch from s.flush_lag)::float8
from pg_replication_slots slot
join pg_stat_replication s on s.pid = slot.active_pid
where slot.slot_name = %(slot)s

-- name: moved
select extract(epoch from clock_timestamp() - updated_at)::float8
from booking_engine.checkpoint
where slot = %(slot)s

-- name: holder
-- The oldest transaction that has written: a slot keeps the log from where the oldest one began.
select who, database, since, younger
from (
    select 'pid ' || a.pid || ', ' || a.usename || coalesce(' (' || nullif(a.application_name, '') || ')', '') as who,
        a.datname::text as database, a.xact_start as since, age(a.backend_xid) as younger
    from pg_stat_activity a
    where a.backend_xid is not null and a.pid <> pg_backend_pid()
    union all
    select 'prepared transaction ' || p.gid || ' of ' || p.owner, p.database::text, p.prepared, age(p.transaction)
    from pg_prepared_xacts p
) open
order by younger desc
limit 1

-- name: left
-- The keys that the list of durable work still has to look at; of bookings that are not counted yet, those we know.
select coalesce(sum(
    case
        when w.total is not null then greatest(w.total - w.done, 0)
        when w.kind = 'availability' then 732
        when w.kind = 'booking' then (
            select count(*) from booking_engine.document d
            where d.kind = 'booking' and (w.hotel_id is null or d.hotel_id = w.hotel_id))
        else 1
    end), 0)::bigint
from booking_engine.dirty_scope w

-- name: failures
-- The last failed send of each endpoint within a day.
select e.name, a.at, a.type, a.outcome, a.error
from booking_engine.endpoint e
cross join lateral (
    select at, type, outcome, error
    from booking_engine.attempt
    where endpoint_id = e.id and outcome <> 'delivered' and at > now() - interval '1 day'
    order by at desc
    limit 1
) a
order by a.at desc

-- name: refused
-- Some of the keys that endpoints do not take, newest first.
select e.name, b.kind, b.hotel_id, b.id, b.rejected_at, b.last_error
from booking_engine.endpoint e
cross join lateral (
    select *
    from booking_engine.behind
    where endpoint_id = e.id and rejected_at is not null
    order by rejected_at desc
    limit %(most)s
) b
order by b.rejected_at desc
limit %(most)s
