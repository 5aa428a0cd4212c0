Changing reservations that came to us, as staff would.

-- name: lock
-- What occupies rooms without being a booking is nobody's to change from outside.
select r.status, r.check_in, r.check_out
from reservations r
where r.hotel_id = %(hotel)s and r.id = %(id)s and r.status <> 'block' and r.type <> 'employee'
for update

-- name: lock_nights
select d.id
from reservation_details d
where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s
order by d.id
for update

-- name: cancel_fee
-- Of the nights that are not cancelled yet: what their rates note as due even so.
select coalesce(sum(rate.price), 0)::bigint
from reservation_details d
cross join lateral (
    select r.price from reservation_rates r
    where r.hotel_id = d.hotel_id and r.reservation_details_id = d.id and r.include_in_cancel_fee
) rate
where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s and d.cancelled is null

-- name: cancel
update reservations set status = 'cancelled', updated_by = %(user)s where hotel_id = %(hotel)s and id = %(id)s

-- name: cancel_nights
update reservation_details set cancelled = gen_random_uuid(), billable = false, updated_by = %(user)s
where hotel_id = %(hotel)s and reservation_id = %(id)s

-- name: has_parking
select to_regclass('public.reservation_parking') is not null

-- name: cancel_parking
update reservation_parking p set cancelled = gen_random_uuid(), updated_by = %(user)s
where p.hotel_id = %(hotel)s and p.reservation_details_id = any(%(nights)s::uuid[])
