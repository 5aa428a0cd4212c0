Delivery: claiming what endpoints are behind on, and writing down what came of each send.

-- name: open
-- Whether `endpoint e` may be sent to now. One that is paused by its operator has no next try.
e.status <> 'disabled' and e.fill_version is null and coalesce(e.retry_at <= now(), e.status <> 'paused')

-- name: free
-- Whether nobody sends this row of `behind b`: a worker that did not renew its lease in time sends nothing any more.
-- A snapshot waits until what its hotel stood behind on before it is through, or turned out to be not taken. The last of that
-- is looked for, since what was delivered lies before it as dead rows.
(b.worker is null or not exists (
    select from booking_engine.worker w where w.id = b.worker and w.until > now()))
and (b.kind <> 'snapshot' or not exists (
    select
    from (
        select
        from booking_engine.behind earlier
        where earlier.endpoint_id = b.endpoint_id and earlier.hotel_id = b.hotel_id and earlier.place < b.place
            and earlier.kind <> 'snapshot' and earlier.rejected_at is null and earlier.tries = 0
        order by earlier.endpoint_id desc, earlier.hotel_id desc, earlier.place desc
        limit 1
    ) earlier))

-- name: flying
-- Whether `behind b` is being sent. Such a row is never deleted by anybody but its sender: marked anew without it, its key
-- would be sent twice at the same time. Who wants it gone acknowledges it in its version, whatever comes of the send.
exists (select from booking_engine.worker w where w.id = b.worker and w.until > now())

-- name: scan
-- Every endpoint that gets marks, and what there is to do for it. Unless `full`, only the end of the queue is looked at, where
-- new marks stand: what was delivered lies before it as dead rows for as long as any transaction of the PMS is open.
select e.id, e.name, e.url, e.secret, e.guest_data, e.bookings = 'own', e.max_bytes, e.concurrency,
    e.rate_per_second::float8,
    e.old_secret, e.old_secret_until, e.ca, e.headers, e.format, e.revision,
    e.fill_version,
    e.status, e.reason, e.failures, e.retry_at, e.failed_at, e.pace, e.paced_at, e.last_error,
    coalesce(extract(epoch from now() - e.paced_at), 0)::float8 as paced_for,
    {open} as open,
    (
        select b.place
        from booking_engine.behind b
        where b.endpoint_id = e.id and b.rejected_at is null and b.not_before is null and {free}
            and b.place >= case when %(full)s then 0 else (extract(epoch from now()) * 1000000)::bigint - 2000000 end
        order by b.place
        limit 1
    ) as place,
    exists (
        select
        from booking_engine.behind b
        where b.endpoint_id = e.id and b.rejected_at is null
            and b.not_before <= case when e.status = 'paused' then 'infinity' else now() end
            and (b.not_before <= now() or b.outages > 0)
            and {free}
    ) as ripe,
    (
        select extract(epoch from b.not_before - now())::float8
        from booking_engine.behind b
        where b.endpoint_id = e.id and b.rejected_at is null and b.not_before > now()
        order by b.not_before
        limit 1
    ) as ripens,
    e.heartbeat_seconds > 0
        and (e.heartbeat_at is null or e.heartbeat_at <= now() - e.heartbeat_seconds * interval '1 s') as heartbeat
from booking_engine.endpoint e
where e.status <> 'disabled'
order by e.id

-- name: claim
-- Leases the next keys of one endpoint, from a place in its queue on, and reads in the same snapshot what they say.
-- Without a place it takes what was marked just now; beside the queue, some of those whose pause is over. Of an
-- endpoint that is paused any key will do, and the claim that moves the next try is the probe. Who knows the endpoint
-- as it was before its last change gets nothing, nor does who has not heard of the server's last crash, which may
-- have taken claims back. What it is told of no more, and what was waived during a send, is claimed as not told:
-- filtering it here would read past all of it. It goes on by places of rows, not by keys: a plan that was made while
-- the tables were empty would look for keys in all of them. A row that moves in that moment is missed: whoever moved
-- it has marked it anew.
with gate as (
    select e.id, e.status = 'paused' as paused, e.bookings = 'own' as own, e.hotels, e.types
    from booking_engine.endpoint e
    where e.id = %(endpoint)s and e.revision = coalesce(%(revision)s, e.revision)
        and (%(fence)s::uuid is null or exists (select from booking_engine.fence f where f.one and f.id = %(fence)s))
        and {open}
),
queued as (
    select b.ctid, b.sent
    from booking_engine.behind b
    where b.endpoint_id = %(endpoint)s
        and b.place >= coalesce(%(place)s::bigint, (extract(epoch from now()) * 1000000)::bigint - 2000000)
        and b.rejected_at is null and b.not_before is null and exists (select from gate) and {free}
    order by b.place
    limit %(size)s
    for update skip locked
),
ripe as (
    select b.ctid, b.sent
    from booking_engine.behind b
    where b.endpoint_id = %(endpoint)s and b.rejected_at is null
        and b.not_before <= (select case when paused then 'infinity' else now() end from gate)
        and (b.not_before <= now() or b.outages > 0)
        and {free}
    order by b.not_before
    limit %(ripe)s
    for update skip locked
),
due as (
    select * from queued
    union all
    select * from ripe
),
claimed as (
    update booking_engine.behind b
    set token = %(token)s, worker = %(worker)s, sent = true, again = false
    from due
    where b.ctid = due.ctid
    returning b.kind, b.hotel_id, b.id, b.version, b.acked, b.place, b.tries, b.outages, due.sent
),
probe as (
    update booking_engine.endpoint e
    set retry_at = clock_timestamp() + %(lease)s * interval '1 s'
    from gate
    where e.id = gate.id and gate.paused and e.status = 'paused' and e.retry_at <= now()
        and exists (select from claimed)
    returning e.id
)
select c.kind, c.hotel_id, c.id, c.version, c.acked, c.place, c.sent, c.tries,
    d.version, d.born, d.body::text, d.committed_at,
    nights.days, nights.sellable, nights.occupied,
    c.outages,
    c.version > c.acked
        and (gate.hotels is null or c.hotel_id = any(gate.hotels))
        and (gate.types is null or c.kind = any(gate.types) or c.kind = 'snapshot') as told,
    (select count(*) from ripe) >= %(ripe)s, gate.paused, exists (select from probe)
from claimed c
cross join gate
left join lateral (
    select d.version, d.born, d.committed_at,
        -- One that is our own no longer is gone for those who are told of our own only.
        case when c.kind <> 'booking' or d.own or not gate.own then d.body end as body
    from booking_engine.document d
    where d.kind = c.kind and d.hotel_id = c.hotel_id and d.id = c.id
    limit 1
) d on true
left join lateral (
    select array_agg(a.date - date '0001-01-01' + 1 order by a.date) as days,
        array_agg(a.sellable order by a.date) as sellable,
        array_agg(a.occupied order by a.date) as occupied
    from booking_engine.availability a
    where c.kind = 'availability' and d.body is not null
        and a.hotel_id = c.hotel_id and a.version > c.acked
        and a.room_type_id = case when c.kind = 'availability' then c.id::int end
) nights on c.kind = 'availability'
order by c.place, c.kind, c.hotel_id, c.id

-- name: snapshot
-- The live ids of one hotel, of bookings those whose first hex digit lies in the given range; null where the endpoint is
-- told of nothing of that kind.
select w.start,
    case when e.types is null or e.types && array['room_type', 'availability'] then
        (select coalesce(array_agg(id::int order by id::int), '{{}}') from booking_engine.document
         where kind = 'room_type' and hotel_id = %(hotel)s and body is not null and version > 0) end,
    case when e.types is null or e.types && array['plan', 'rates'] then
        (select coalesce(array_agg(id order by id), '{{}}') from booking_engine.document
         where kind = 'plan' and hotel_id = %(hotel)s and body is not null and version > 0) end,
    case when e.types is null or 'booking' = any(e.types) then
        (select coalesce(array_agg(id order by id), '{{}}') from booking_engine.document
         where kind = 'booking' and hotel_id = %(hotel)s and body is not null and version > 0
            and ends >= w.start and (own or e.bookings is distinct from 'own')
            and id >= %(first)s and id < chr(ascii(%(last)s) + 1)) end
from (select {window} as start) w
left join booking_engine.endpoint e on e.id = %(endpoint)s

-- name: sent
-- The row of what was claimed, `r`, as long as it still is.
select b.ctid as row, b.version, b.acked, b.again
from booking_engine.behind b
where b.endpoint_id = %(endpoint)s and b.kind = r.kind and b.hotel_id = r.hotel_id and b.id = r.id and b.token = r.token

-- name: settle
-- Writes down what came of sends, for the keys whose lease still is the sender's, and every attempt. The rows are locked
-- first. It waits for the first one alone, while it holds none: those who write documents lock them in other orders, and would
-- lose against it. A key whose version advanced meanwhile stays, with what the endpoint has now, and one that was marked
-- `again` stays as it was marked, its place before the snapshot too, whatever came of the send. One that was waived
-- meanwhile, acknowledged in its version, goes. Tells whether there is such a key, and the place of the first that was marked
-- again, because whoever marked it found it leased; and how many rows were locked by others, or moved while they were waited
-- for, which have to be settled once more.
with result as (
    select *
    from unnest(%(kinds)s::text[], %(hotels)s::int[], %(ids)s::text[], %(tokens)s::uuid[], %(versions)s::bigint[],
        %(verdicts)s::text[], %(waits)s::float8[], %(errors)s::text[])
        as r (kind, hotel_id, id, token, sent_version, verdict, wait, error)
),
leased as materialized (
    select r.*
    from (select * from result order by kind, hotel_id, id collate "C") r
    cross join lateral (select from ({sent} limit 1) found) b
),
locked as (
    select r.*, b.*
    from (select * from leased limit 1) r
    cross join lateral ({sent} for update) b
    union all
    select r.*, b.*
    from (select * from leased offset 1) r
    cross join lateral ({sent} for update skip locked) b
),
mine as (
    select b.*, newest, (b.verdict = 'delivered' and newest) or (b.version <= b.acked and not b.again) as over
    from locked b
    cross join lateral (select b.version <= b.sent_version and not b.again as newest) n
),
acknowledged as (
    delete from booking_engine.behind b
    using mine m
    where b.ctid = m.row and m.over
    returning b.id
),
kept as (
    update booking_engine.behind b
    set token = null,
        worker = null,
        again = false,
        acked = case when m.verdict = 'delivered' and not m.again then greatest(b.acked, m.sent_version) else b.acked end,
        place = case when m.verdict = 'delivered' and not m.again then (extract(epoch from clock_timestamp()) * 1000000)::bigint
            else b.place end,
        since = case when m.verdict = 'delivered' and not m.again then clock_timestamp() else b.since end,
        tries = case when m.verdict in ('rejected', 'refused') and m.newest then b.tries + 1
            when m.verdict = 'delivered' then 0
            else b.tries end,
        outages = case when m.verdict = 'delayed' and m.newest then b.outages + 1
            when m.verdict = 'released' then b.outages
            else 0 end,
        not_before = case when m.verdict in ('rejected', 'delayed') and m.newest
            then clock_timestamp() + m.wait * interval '1 s' end,
        rejected_at = case when m.verdict = 'refused' and m.newest then clock_timestamp() end,
        last_error = case when m.verdict = 'delivered' then null else coalesce(m.error, b.last_error) end
    from mine m
    where b.ctid = m.row and not m.over
    returning m.verdict = 'delivered' or m.again as newer, m.again, b.place
),
attempted as (
    insert into booking_engine.attempt
        (at, endpoint_id, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms, error, answer)
    select at, %(endpoint)s, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms, error, answer
    from unnest(%(at)s::timestamptz[], %(webhook_ids)s::text[], %(types)s::text[], %(attempt_hotels)s::int[],
        %(key_counts)s::int[], %(bytes)s::int[], %(outcomes)s::text[], %(statuses)s::int[], %(latencies)s::int[],
        %(attempt_errors)s::text[], %(answers)s::text[])
        as a (at, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms, error, answer)
)
select exists (select from kept where newer and not again), (select min(place) from kept where again),
    (select count(*) from leased) - (select count(*) from acknowledged) - (select count(*) from kept)

-- name: heartbeat
-- The worker whose update finds it due sends it. What durable work has yet to compare counts as behind: until then
-- nobody knows that the endpoint has it. Of keys it counts 10,000, so that it stays cheap.
update booking_engine.endpoint e
set heartbeat_at = clock_timestamp(),
    retry_at = case when status = 'paused' then clock_timestamp() + %(lease)s * interval '1 s' end
where id = %(endpoint)s and {open} and heartbeat_seconds > 0
    and (heartbeat_at is null or heartbeat_at <= now() - heartbeat_seconds * interval '1 s')
returning status = 'paused',
    (select max(committed_at) from booking_engine.checkpoint),
    (select count(*) from (
        select from booking_engine.behind b where b.endpoint_id = e.id and b.kind <> 'snapshot' limit 10000) first)
        + (select coalesce(sum(
            case
                when w.total is not null then greatest(w.total - w.done, 1)
                when w.kind = 'availability' then 732
                else 1
            end), 0)::bigint
        from booking_engine.dirty_scope w
        where w.hotel_id is null or e.hotels is null or w.hotel_id = any(e.hotels))
