Which reservations came to us, and how each fares.

-- name: find
select hotel_id, reservation_id from booking_engine.booking_link
where source = %(source)s and external_id = %(external_id)s

-- name: added
-- Nothing where it is there already: waits for another transaction that adds the same.
insert into booking_engine.booking_link (source, external_id, hotel_id, reservation_id)
select %(source)s, %(external_id)s, %(hotel)s, %(reservation)s
where {wanted}
on conflict do nothing
returning *

-- name: fared
-- Its status, for both are there only once it is booked.
insert into booking_engine.sync_status as s (source, external_id, hotel_id, reservation_id, status)
select source, external_id, hotel_id, reservation_id, 'synced' from added
on conflict (source, external_id) do update
    set hotel_id = excluded.hotel_id, reservation_id = excluded.reservation_id, status = excluded.status, error = null,
        undecided = false, retries = case when s.error is null then 0 else s.retries + 1 end,
        last_attempt_at = clock_timestamp()
returning true

-- name: add
with added as (
    {added}
)
{fared}
