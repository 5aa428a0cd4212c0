Changing reservations that came to us, as staff would. {asked} is that of booking.sql, {fee} the
cancel_fee of prices.sql.

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
-- Of the nights that are not cancelled yet, as the PMS has their revenue.
select coalesce(sum({fee} * case d.plan_type when 'per_person' then d.number_of_people else 1 end), 0)::bigint
from reservation_details d
cross join lateral (
    select coalesce(sum(r.price), 0) as noted from reservation_rates r
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

-- name: active_nights
select d.id, d.room_id, d.date
from reservation_details d
where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s and d.cancelled is null and d.room_id is not null

-- name: has_payments
select exists (select from reservation_payments p where p.hotel_id = %(hotel)s and p.reservation_id = %(id)s)

-- name: write_head
update reservations
set check_in = %(check_in)s, check_out = %(check_out)s, number_of_people = %(people)s,
    reservation_client_id = %(client)s, payment_timing = coalesce(%(payment_timing)s, payment_timing),
    comment = coalesce(%(comment)s, comment), updated_by = %(user)s
where hotel_id = %(hotel)s and id = %(id)s

-- name: drop_nights
delete from reservation_details where hotel_id = %(hotel)s and id = any(%(ids)s::uuid[])

-- name: move_nights
update reservation_details d
set room_id = n.room_id, number_of_people = n.people, updated_by = %(user)s
from ({asked}) n
where d.hotel_id = %(hotel)s and d.id = n.id

-- name: reprice_nights
update reservation_details d
set plans_global_id = n.global_plan, plans_hotel_id = n.hotel_plan, plan_name = n.plan_name, plan_type = n.plan_type,
    price = n.price, updated_by = %(user)s
from ({asked}) n
where d.hotel_id = %(hotel)s and d.id = n.id

-- name: drop_rates
delete from reservation_rates where hotel_id = %(hotel)s and reservation_details_id = any(%(ids)s::uuid[])

-- name: drop_guests
delete from reservation_clients where hotel_id = %(hotel)s and reservation_details_id = any(%(ids)s::uuid[])
