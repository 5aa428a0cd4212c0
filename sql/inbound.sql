The documents of bookings that are being written here.

-- name: tell
-- Gives one booking's document what the PMS says now, marks who is behind on it, and returns it as it then stands. It is
-- locked already.
with noted as (
    {note}
),
fresh as materialized (
    {fresh}
),
changed as (
    select f.hotel_id, f.id, coalesce(d.version, 0) as old_version, coalesce(d.own, false) as was_own, f.body, f.own,
        f.ends
    from fresh f
    left join lateral (
        select * from booking_engine.document found
        where found.kind = 'booking' and found.hotel_id = f.hotel_id and found.id = f.id
        limit 1
    ) d on true
    where d.body is distinct from f.body or f.own <> d.own
),
written as (
    insert into booking_engine.document as d (kind, hotel_id, id, version, born, body, own, ends, committed_at)
    select 'booking', c.hotel_id, c.id, v.version, v.version, c.body, coalesce(c.own, false), c.ends, clock_timestamp()
    from changed c
    cross join lateral booking_engine.next_version(c.old_version) as v (version)
    on conflict (kind, hotel_id, id) do update
        set version = excluded.version, body = excluded.body,
            born = case when d.body is null then excluded.version else d.born end,
            own = case when excluded.body is null then d.own else excluded.own end,
            ends = coalesce(excluded.ends, d.ends), committed_at = excluded.committed_at
    returning d.*
),
moved as (
    select w.*, c.old_version, c.was_own
    from written w
    join changed c on c.hotel_id = w.hotel_id and c.id = w.id
),
{marks}
select m.version, m.body, m.committed_at from moved m
union all
select d.version, d.body, d.committed_at
from fresh f
cross join lateral (
    select * from booking_engine.document found
    where found.kind = 'booking' and found.hotel_id = f.hotel_id and found.id = f.id and found.version > 0
    limit 1
) d
where not exists (select from moved)

-- name: tell_born
-- The same of a reservation that this transaction has made: there is nothing yet that it could differ from.
with noted as (
    {note}
),
fresh as materialized (
    {fresh}
),
written as (
    insert into booking_engine.document (kind, hotel_id, id, version, born, body, own, ends, committed_at)
    select 'booking', f.hotel_id, f.id, v.version, v.version, f.body, f.own, f.ends, clock_timestamp()
    from fresh f
    cross join lateral booking_engine.next_version(0) as v (version)
    where f.body is not null
    returning *
),
moved as (
    select w.*, 0::bigint as old_version, false as was_own from written w
),
{marks}
select version, body, committed_at from moved
