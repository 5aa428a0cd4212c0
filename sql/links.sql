Which reservations came to us, and how each fares.

-- name: find
select hotel_id, reservation_id from booking_engine.booking_link
where source = %(source)s and external_id = %(external_id)s

-- name: add
-- With its status, for both are there only once it is booked. Nothing where it is there already: waits for another
-- transaction that adds the same.
with added as (
    insert into booking_engine.booking_link (source, external_id, hotel_id, reservation_id)
    values (%(source)s, %(external_id)s, %(hotel)s, %(reservation)s)
    on conflict do nothing
    returning *
)
insert into booking_engine.sync_status as s (source, external_id, hotel_id, reservation_id, status)
select source, external_id, hotel_id, reservation_id, 'synced' from added
on conflict (source, external_id) do update
    set hotel_id = excluded.hotel_id, reservation_id = excluded.reservation_id, status = excluded.status, error = null,
        retries = s.retries + 1, last_attempt_at = clock_timestamp()
returning true

-- name: report
-- A booking that is changed stays in its conflict until the change stream has seen that it is over.
insert into booking_engine.sync_status as s (source, external_id, hotel_id, reservation_id, status, error)
values (%(source)s, %(external_id)s, %(hotel)s, %(reservation)s, %(status)s, %(error)s)
on conflict (source, external_id) do update
    set hotel_id = excluded.hotel_id, reservation_id = coalesce(excluded.reservation_id, s.reservation_id),
        status = case when excluded.status = 'synced' and exists (
            select from booking_engine.conflict c
            where c.hotel_id = excluded.hotel_id and c.reservation_id = excluded.reservation_id
        ) then 'conflict' else excluded.status end, error = excluded.error, retries = s.retries + 1, last_attempt_at = clock_timestamp()
    where s.reservation_id is null or excluded.reservation_id is not null
