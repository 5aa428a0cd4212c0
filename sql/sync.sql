How each booking fares that came to us.

-- name: not_booked
-- An attempt at a booking that is not there. What was booked is not unmade by a later one.
insert into booking_engine.sync_status as s (source, external_id, hotel_id, status, error, undecided)
values (%(source)s, %(external_id)s, %(hotel)s, case when %(undecided)s then 'pending' else 'failed' end, %(error)s,
    %(undecided)s)
on conflict (source, external_id) do update
    set hotel_id = excluded.hotel_id, status = excluded.status, error = excluded.error, undecided = excluded.undecided,
        retries = case when s.error is null then 0 else s.retries + 1 end, last_attempt_at = clock_timestamp()
    where s.reservation_id is null

-- name: attempted
-- An attempt to change a booking that is there, without an error where it succeeded. It stays in its conflict until the
-- change stream has seen that it is over.
update booking_engine.sync_status s
set status = case when s.status = 'conflict' then 'conflict' when %(undecided)s then 'pending' else 'synced' end,
    error = %(error)s, undecided = %(undecided)s,
    retries = case when s.error is null then 0 else s.retries + 1 end, last_attempt_at = clock_timestamp()
where s.source = %(source)s and s.external_id = %(external_id)s

-- name: counts
-- Of those that are not synced, with the last attempt of each status that was longest ago.
select status, count(*), min(last_attempt_at)
from booking_engine.sync_status
where status <> 'synced'
group by status
order by status

-- name: listed
-- Those that are not synced, or whose last attempt was refused; the newest attempts first.
select s.last_attempt_at, s.status, s.hotel_id, s.source, s.external_id, s.reservation_id::text, s.error, s.retries
from booking_engine.sync_status s
where (s.status <> 'synced' or s.error is not null) and (%(hotel)s::int is null or s.hotel_id = %(hotel)s::int)
    and (%(status)s::text is null or s.status = %(status)s::text)
order by s.last_attempt_at desc
limit %(most)s

-- name: forget
-- What never came to a booking, in small batches, oldest first.
delete from booking_engine.sync_status s
using (
    select source, external_id from booking_engine.sync_status
    where reservation_id is null and last_attempt_at < clock_timestamp() - make_interval(days => %(days)s)
    order by last_attempt_at
    limit %(limit)s
    for update skip locked
) old
where s.source = old.source and s.external_id = old.external_id
