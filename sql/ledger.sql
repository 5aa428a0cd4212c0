What endpoints are behind on, key by key, for those who look after them.

-- name: chosen
-- Whether `behind b` of `endpoint e` is among what is asked for.
(%(endpoint)s::text is null or e.name = %(endpoint)s)
and (%(within)s::int[] is null or e.hotels <@ %(within)s::int[])
and (%(hotel)s::int is null or b.hotel_id = %(hotel)s)
and (%(kinds)s::text[] is null or (b.kind, b.hotel_id, b.id) in (
    select * from unnest(%(kinds)s::text[], %(hotels)s::int[], %(ids)s::text[])))
and (%(rejected)s is not true or b.rejected_at is not null)

-- name: list
-- What needs somebody first, then what waits longest.
select e.name, b.kind, b.hotel_id, b.id, b.version, b.acked, b.since, b.tries, b.outages, b.not_before,
    b.token is not null as in_flight, b.rejected_at, b.last_error
from booking_engine.endpoint e
join booking_engine.behind b on b.endpoint_id = e.id
where {chosen}
order by b.rejected_at is null, b.last_error is null, b.since, e.name, b.kind, b.hotel_id, b.id
limit %(most)s

-- name: retry
-- What is in flight is being tried already.
with waiting as (
    select b.endpoint_id, b.kind, b.hotel_id, b.id
    from booking_engine.endpoint e
    join booking_engine.behind b on b.endpoint_id = e.id
    where {chosen} and b.token is null and (b.rejected_at is not null or b.not_before is not null)
    order by b.endpoint_id, b.kind, b.hotel_id, b.id
    for update of b
)
update booking_engine.behind b
set rejected_at = null, not_before = null, tries = 0, outages = 0
from waiting w
where b.endpoint_id = w.endpoint_id and b.kind = w.kind and b.hotel_id = w.hotel_id and b.id = w.id

-- name: skip
-- Takes keys for delivered in their present version, and writes down who said so. What is being sent goes when that ends.
with waiting as (
    select b.endpoint_id, e.name, b.kind, b.hotel_id, b.id, b.version, {flying} as flying
    from booking_engine.endpoint e
    join booking_engine.behind b on b.endpoint_id = e.id
    where {chosen}
    order by b.endpoint_id, b.kind, b.hotel_id, b.id
    for update of b
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
)
insert into booking_engine.audit_log (request_id, source, key_id, method, path, hotel_id, status, took_ms)
select %(request_id)s, %(source)s, %(key_id)s, 'SKIP',
    concat_ws(' ', w.name, concat_ws(':', w.kind, w.hotel_id, nullif(w.id, '')), 'version', w.version, %(reason)s::text),
    w.hotel_id, 200, 0
from waiting w

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
-- Sends of some messages, or of types that speak of a hotel, among each endpoint's latest ones, the newest first.
select e.name, a.at, a.webhook_id, a.type, a.keys, a.bytes, a.outcome, a.status, a.latency_ms, a.error, a.answer
from booking_engine.endpoint e
cross join lateral (
    select *
    from booking_engine.attempt
    where endpoint_id = e.id
    order by at desc
    limit %(latest)s
) a
where a.webhook_id = any(%(webhook_ids)s::text[])
    or (a.type = any(%(types)s::text[]) and coalesce(a.hotel_id, %(hotel)s::int) = %(hotel)s::int)
order by a.at desc
limit %(most)s

-- name: note
insert into booking_engine.attempt
    (at, endpoint_id, webhook_id, type, hotel_id, keys, bytes, outcome, status, latency_ms, error, answer)
values (%(at)s, %(endpoint)s, %(webhook_id)s, %(type)s, %(hotel_id)s, %(keys)s, %(bytes)s, %(outcome)s, %(status)s,
    %(latency_ms)s, %(error)s, %(answer)s)
