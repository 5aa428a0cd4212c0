What operators decide of an endpoint.

-- name: target
-- Every column, of which those are taken that say where to send and how.
select e.*, e.bookings = 'own' as own from booking_engine.endpoint e where e.name = %(name)s

-- name: find
select id, name, url, format, ca, headers, status, hotels, types, bookings, guest_data, max_bytes, concurrency,
    coalesce(rate_per_second, 0)::float8 as rate_per_second, heartbeat_seconds,
    fill_version is not null as filling, revision
from booking_engine.endpoint
where name = %(name)s

-- name: change
-- A first sync that is due begins anew, with what the endpoint is told of from now on.
update booking_engine.endpoint
set url = %(url)s, ca = %(ca)s, headers = %(headers)s, hotels = %(hotels)s::int[], types = %(types)s::text[], bookings = %(bookings)s,
    guest_data = %(guest_data)s, max_bytes = %(max_bytes)s, concurrency = %(concurrency)s,
    rate_per_second = nullif(%(rate_per_second)s::real, 0),
    heartbeat_seconds = %(heartbeat_seconds)s, revision = revision + 1,
    fill_version = case when fill_version is not null
        then (extract(epoch from clock_timestamp()) * 1000000)::bigint end
where id = %(id)s

-- name: hold
-- Until the transaction ends nobody changes the endpoint; documents are written all the same.
select from booking_engine.endpoint where id = %(endpoint)s for key share

-- name: withdraw
-- Looks at a page of an endpoint's marks, and deletes those of what it is told of no more; what is being sent goes when that
-- ends. A booking that is not our own stays where the endpoint may have it: it is told that it is gone. Tells where the page
-- ended, and how many were withdrawn.
with page as (
    select b.kind, b.hotel_id, b.id
    from booking_engine.behind b
    where b.endpoint_id = %(endpoint)s and (b.kind, b.hotel_id, b.id) > (%(kind)s, %(hotel)s, %(id)s)
    order by b.kind, b.hotel_id, b.id
    limit %(size)s
),
unwanted as (
    select b.kind, b.hotel_id, b.id, {flying} as flying
    from page p
    join booking_engine.endpoint e on e.id = %(endpoint)s
    cross join lateral (
        select *
        from booking_engine.behind b
        where b.endpoint_id = e.id and b.kind = p.kind and b.hotel_id = p.hotel_id and b.id = p.id
            and not (
                (e.hotels is null or b.hotel_id = any(e.hotels))
                and (e.types is null or b.kind = any(e.types) or b.kind = 'snapshot')
                and (b.kind <> 'booking' or e.bookings = 'all' or b.acked > 0 or b.sent or exists (
                    select from booking_engine.document d
                    where d.kind = b.kind and d.hotel_id = b.hotel_id and d.id = b.id and d.own)))
        for update
    ) b
),
withdrawn as (
    delete from booking_engine.behind b
    using unwanted u
    where b.endpoint_id = %(endpoint)s and b.kind = u.kind and b.hotel_id = u.hotel_id and b.id = u.id and not u.flying
),
waived as (
    update booking_engine.behind b
    set acked = b.version, again = false
    from unwanted u
    where b.endpoint_id = %(endpoint)s and b.kind = u.kind and b.hotel_id = u.hotel_id and b.id = u.id and u.flying
)
select kind, hotel_id, id, (select count(*) from unwanted)
from page
order by kind desc, hotel_id desc, id desc
limit 1

-- name: pause
-- Its marks go on. Without a next try nothing is sent until it is resumed.
update booking_engine.endpoint
set status = 'paused', reason = %(reason)s, retry_at = null,
    changed_at = case when status = 'paused' and retry_at is null then changed_at else clock_timestamp() end
where name = %(name)s and status <> 'disabled'
returning id

-- name: resume
-- Tried at once, whatever came before.
update booking_engine.endpoint
set status = 'healthy', reason = null, failures = 0, failed_at = null, retry_at = null, last_error = null,
    pace = 1, paced_at = null, changed_at = clock_timestamp()
where name = %(name)s and status <> 'disabled'
returning id

-- name: changes
select at, before, status, reason
from booking_engine.endpoint_change
where endpoint_id = %(endpoint)s
order by at desc
limit %(most)s
