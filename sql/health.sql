How endpoints are: read under a lock, judged, written.

-- name: examine
select status, reason, failures, retry_at, failed_at, pace, paced_at, last_error, clock_timestamp()
from booking_engine.endpoint
where id = %(endpoint)s
for no key update

-- name: record
update booking_engine.endpoint
set status = %(status)s, reason = %(reason)s, failures = %(failures)s, retry_at = %(retry_at)s,
    failed_at = %(failed_at)s, pace = %(pace)s, paced_at = %(paced_at)s, last_error = %(last_error)s,
    changed_at = case when status = %(status)s then changed_at else clock_timestamp() end,
    last_success_at = case when %(answered)s then clock_timestamp() else last_success_at end
where id = %(endpoint)s

-- name: awaken
-- What waits because sends of it failed waits no longer: the endpoint is back. A page is enough: more comes by itself.
update booking_engine.behind b
set not_before = null, outages = 0
from (
    select kind, hotel_id, id
    from booking_engine.behind
    where endpoint_id = %(endpoint)s and rejected_at is null and not_before > now() and outages > 0
    order by not_before
    limit 10000
    for update skip locked
) waiting
where b.endpoint_id = %(endpoint)s and b.kind = waiting.kind and b.hotel_id = waiting.hotel_id and b.id = waiting.id

-- name: again
-- The probe was not sent, for there was nothing to say.
update booking_engine.endpoint
set retry_at = clock_timestamp()
where id = %(endpoint)s and status = 'paused' and retry_at is not null
