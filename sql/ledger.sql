What endpoints are behind on, key by key, for those who look after them.

-- name: asked
-- The endpoints that are asked about.
select e.id, e.name
from booking_engine.endpoint e
where (%(endpoint)s::text is null or e.name = %(endpoint)s)
    and (%(within)s::int[] is null or e.hotels <@ %(within)s::int[])

-- name: named
-- Of `endpoint e`: the keys that are named.
select b.*
from unnest(%(kinds)s::text[], %(hotels)s::int[], %(ids)s::text[]) as named (kind, hotel_id, id)
cross join lateral (
    select *
    from booking_engine.behind found
    where found.endpoint_id = e.id and found.kind = named.kind and found.hotel_id = named.hotel_id
        and found.id = named.id
    limit 1
) b
where b.hotel_id between coalesce(%(hotel)s::int, 0) and coalesce(%(hotel)s::int, 2147483647)
    and (%(rejected)s is not true or b.rejected_at is not null)

-- name: refused
-- Of `endpoint e`: those that were refused for good, the longest ago first. What stands beside the last one comes along:
-- an order that no index has would be sorted out of all of them.
(select *
from booking_engine.behind
where endpoint_id = e.id and rejected_at is not null
    and %(hotel)s::int is null and {after}
order by rejected_at, place, hotel_id
fetch first (%(most)s) rows with ties)
union all
(select *
from booking_engine.behind
where endpoint_id = e.id and hotel_id = %(hotel)s::int and rejected_at is not null
    and {after}
order by rejected_at, place
fetch first (%(most)s) rows with ties)

-- name: after_refused
(rejected_at, place, hotel_id) >= (%(refused_from)s::timestamptz, %(at_place)s::bigint, %(at_hotel)s::int)
    and (rejected_at, place, hotel_id, kind, id, e.name)
        > (%(refused_from)s::timestamptz, %(at_place)s::bigint, %(at_hotel)s::int, %(at_kind)s, %(at_id)s, %(at_name)s)

-- name: paused
-- Of `endpoint e`: those that wait after a try, the next ones first.
(select *
from booking_engine.behind
where endpoint_id = e.id and rejected_at is null and not_before is not null and %(rejected)s is not true
    and %(hotel)s::int is null and {after}
order by not_before, place, hotel_id
fetch first (%(most)s) rows with ties)
union all
(select *
from booking_engine.behind
where endpoint_id = e.id and hotel_id = %(hotel)s::int and %(rejected)s is not true
    and rejected_at is null and coalesce(not_before, 'infinity') < 'infinity' and {after}
order by not_before, place
fetch first (%(most)s) rows with ties)

-- name: after_paused
(not_before, place, hotel_id) >= (%(paused_from)s::timestamptz, %(at_place)s::bigint, %(at_hotel)s::int)
    and (not_before, place, hotel_id, kind, id, e.name)
        > (%(paused_from)s::timestamptz, %(at_place)s::bigint, %(at_hotel)s::int, %(at_kind)s, %(at_id)s, %(at_name)s)

-- name: queued
-- Of `endpoint e`: those that are in the queue, as it goes; of one hotel by key, for there is no queue of a hotel.
(select *
from booking_engine.behind
where endpoint_id = e.id and rejected_at is null and not_before is null and %(rejected)s is not true
    and %(hotel)s::int is null
    and (place, hotel_id, kind, id) >= (%(queued_from)s::bigint, %(at_hotel)s::int, %(at_kind)s, %(at_id)s)
    and (place, hotel_id, kind, id, e.name)
        > (%(queued_from)s::bigint, %(at_hotel)s::int, %(at_kind)s, %(at_id)s, %(at_name)s)
order by place, hotel_id, kind, id
limit %(most)s)
union all
(select b.*
from unnest(array['availability', 'booking', 'hotel', 'plan', 'rates', 'room_type', 'snapshot']) as k (kind)
cross join lateral (
    select *
    from booking_engine.behind found
    where found.endpoint_id = e.id and found.kind = k.kind and found.hotel_id = %(hotel)s::int
        and found.rejected_at is null and found.not_before is null
        and found.id >= case when (%(queued_from)s::bigint, k.kind) = (0, %(at_kind)s) then %(at_id)s else '' end
        and (0, found.kind, found.id, e.name) > (%(queued_from)s::bigint, %(at_kind)s, %(at_id)s, %(at_name)s)
    order by found.id
    limit %(most)s
) b
where %(rejected)s is not true)

-- name: list
-- What was refused, what waits for a try, and what is queued: of each, the first ones of every endpoint after a place.
select e.name, b.kind, b.hotel_id, b.id, b.version, b.acked, b.since, b.tries, b.outages, b.not_before,
    b.token is not null as in_flight, b.rejected_at, b.last_error,
    case when b.rejected_at is not null then 0 when b.not_before is not null then 1 else 2 end as section,
    coalesce((extract(epoch from coalesce(b.rejected_at, b.not_before)) * 1000000)::bigint, 0) as at,
    case
        when b.rejected_at is null and b.not_before is null and %(hotel)s::int is not null then 0
        else b.place
    end as queued
from (
    {asked}
) e
cross join lateral (
    {rows}
) b
order by section, at, queued, b.hotel_id, b.kind, b.id, e.name
limit %(most)s

-- name: picked
-- The keys that are found, in the order in which they are locked.
select e.id as endpoint_id, e.name, found.kind, found.hotel_id, found.id
from (
    {asked}
) e
cross join lateral (
    {rows}
) found
order by e.id, found.kind, found.hotel_id, found.id
limit %(most)s

-- name: held
-- The row of a key that is picked, `p`.
select b.endpoint_id, b.kind, b.hotel_id, b.id, b.version, b.token, b.rejected_at, b.not_before, {flying} as flying
from booking_engine.behind b
where b.endpoint_id = p.endpoint_id and b.kind = p.kind and b.hotel_id = p.hotel_id and b.id = p.id
    and (%(rejected)s is not true or b.rejected_at is not null)

-- name: retry
-- A page. What is in flight is being tried already; what others have locked is being queued or claimed, and who writes
-- documents would lose against whoever waits for it. Tells how many keys were found, and how many it queued.
with picked as materialized (
    {picked}
),
waiting as (
    select b.*
    from picked p
    cross join lateral (
        {held} and b.token is null and (b.rejected_at is not null or b.not_before is not null)
        for update of b skip locked
    ) b
),
queued as (
    update booking_engine.behind b
    set rejected_at = null, not_before = null, tries = 0, outages = 0
    from waiting w
    where b.endpoint_id = w.endpoint_id and b.kind = w.kind and b.hotel_id = w.hotel_id and b.id = w.id
    returning 1
)
select (select count(*) from picked), (select count(*) from queued)

-- name: skip
-- A page: takes keys for delivered in their present version, and writes down who said so. What is being sent goes when
-- that ends. It waits for the first alone, while it holds none: who writes documents would lose against it. What else others
-- have locked is not as it was. Tells how many keys were found, and how many it skipped.
with picked as materialized (
    {picked}
),
waiting as (
    select p.name, b.*
    from (select * from picked limit 1) p
    cross join lateral ({held} for update of b) b
    union all
    select p.name, b.*
    from (select * from picked offset 1) p
    cross join lateral ({held} for update of b skip locked) b
),
skipped as (
    delete from booking_engine.behind b
    using waiting w
    where b.endpoint_id = w.endpoint_id and b.kind = w.kind and b.hotel_id = w.hotel_id and b.id = w.id
        and not w.flying
),
waived as (
    update booking_engine.behind b
    set acked = b.version, again = false
    from waiting w
    where b.endpoint_id = w.endpoint_id and b.kind = w.kind and b.hotel_id = w.hotel_id and b.id = w.id and w.flying
),
noted as (
    insert into booking_engine.audit_log (request_id, source, key_id, method, path, hotel_id, status, took_ms)
    select %(request_id)s, %(source)s, %(key_id)s, 'SKIP',
        concat_ws(' ', w.name, concat_ws(':', w.kind, w.hotel_id, nullif(w.id, '')), 'version', w.version,
            %(reason)s::text),
        w.hotel_id, 200, 0
    from waiting w
    returning 1
)
select (select count(*) from picked), (select count(*) from noted)

-- name: document
select version, born, body::text, committed_at
from booking_engine.document
where kind = %(kind)s and hotel_id = %(hotel)s and id = %(id)s

-- name: told
-- How each endpoint stands with one key that it is told of.
select e.id, e.name, e.status, e.guest_data, b.version, b.acked, b.since, b.tries, b.outages, b.not_before,
    b.token is not null as in_flight, b.rejected_at, b.last_error
from booking_engine.endpoint e
left join booking_engine.behind b
    on b.endpoint_id = e.id and b.kind = %(kind)s and b.hotel_id = %(hotel)s and b.id = %(id)s
where (e.hotels is null or %(hotel)s = any(e.hotels))
    and (e.types is null or %(kind)s = any(e.types) or %(kind)s = 'snapshot')
order by e.name

-- name: attempts
-- The latest sends of some messages, and those of types that speak of a hotel or of all.
select e.name, a.at, a.webhook_id, a.type, a.keys, a.bytes, a.outcome, a.status, a.latency_ms, a.error, a.answer
from (
    select one.*
    from unnest(%(webhook_ids)s::text[]) as w (id)
    cross join lateral (
        select *
        from booking_engine.attempt
        where webhook_id = w.id
        order by at desc
        limit %(most)s
    ) one
    union
    select one.*
    from booking_engine.endpoint e
    cross join unnest(%(types)s::text[]) as t (type)
    cross join lateral (
        (select *
        from booking_engine.attempt
        where endpoint_id = e.id and hotel_id = %(hotel)s::int and type = t.type
        order by at desc
        limit %(most)s)
        union all
        (select *
        from booking_engine.attempt
        where endpoint_id = e.id and hotel_id is null and type = t.type
        order by at desc
        limit %(most)s)
    ) one
) a
join booking_engine.endpoint e on e.id = a.endpoint_id
order by a.at desc
limit %(most)s

-- name: note
insert into booking_engine.attempt
    (at, endpoint_id, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms, error, answer)
values (%(at)s, %(endpoint)s, %(webhook_id)s, %(type)s, %(hotel_id)s, %(keys)s, %(bytes)s, %(outcome)s, %(status)s,
    %(latency_ms)s, %(error)s, %(answer)s)
