Reservations that hold rooms for us: how they read, confirming and deleting them. {asked} is that of booking.sql.

-- name: lock
select r.status, r.check_in, r.check_out
from reservations r
where r.hotel_id = %(hotel)s and r.id = %(id)s
for update

-- name: nights
select d.id, d.date, m.id as room_id, m.room_type_id, m.capacity, m.for_sale and not m.is_staff_room
from reservation_details d
join rooms m on m.hotel_id = d.hotel_id and m.id = d.room_id
where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s and d.cancelled is null
order by d.date, m.id
for update of d

-- name: digest
-- Of all that staff would change about it.
select to_regclass('public.reservation_parking') is not null, md5(concat_ws('|',
    r.status, r.type, r.agent, r.reservation_client_id, r.check_in, r.check_in_time, r.check_out, r.check_out_time,
    r.number_of_people, r.payment_timing, r.comment, r.updated_by,
    (select string_agg(concat_ws(',', d.id, d.date, d.room_id, d.plans_global_id, d.plans_hotel_id, d.plan_name,
        d.number_of_people, d.price, d.cancelled, d.billable, d.updated_by), ';' order by d.id)
    from reservation_details d where d.hotel_id = %(hotel)s and d.reservation_id = r.id),
    (select count(*) from reservation_payments p where p.hotel_id = %(hotel)s and p.reservation_id = r.id),
    (select count(*) from reservation_details d
        join reservation_clients c on c.hotel_id = d.hotel_id and c.reservation_details_id = d.id
        where d.hotel_id = %(hotel)s and d.reservation_id = r.id),
    (select count(*) from reservation_details d
        join reservation_addons a on a.hotel_id = d.hotel_id and a.reservation_detail_id = d.id
        where d.hotel_id = %(hotel)s and d.reservation_id = r.id)))
from reservations r
where r.hotel_id = %(hotel)s and r.id = %(id)s

-- name: parking
-- Apart from the digest, for not every PMS has the table.
select count(*)
from reservation_details d
join reservation_parking p on p.hotel_id = d.hotel_id and p.reservation_details_id = d.id
where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s

-- name: given_away
-- Whether another stay has one of its rooms, and whether it is somebody's itself: staff have noted a guest, a plan or
-- a price.
select exists (
        select from reservation_details d
        join reservation_details o
            on o.hotel_id = d.hotel_id and o.room_id = d.room_id and o.date = d.date and o.cancelled is null
                and o.reservation_id <> d.reservation_id
        where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s and d.cancelled is null),
    exists (
        select from reservations r
        where r.hotel_id = %(hotel)s and r.id = %(id)s and r.reservation_client_id <> %(nobody)s)
    or exists (
        select from reservation_details d
        where d.hotel_id = %(hotel)s and d.reservation_id = %(id)s and (
            d.plans_global_id is not null or d.plans_hotel_id is not null or d.price <> 0
            or exists (
                select from reservation_rates r
                where r.hotel_id = d.hotel_id and r.reservation_details_id = d.id)
            or exists (
                select from reservation_clients c
                where c.hotel_id = d.hotel_id and c.reservation_details_id = d.id)))

-- name: confirm
update reservations
set reservation_client_id = %(client)s, number_of_people = %(people)s, status = 'confirmed',
    ota_reservation_id = %(external_id)s, payment_timing = %(payment_timing)s,
    comment = nullif(concat_ws(E'\n', comment, %(comment)s::text), ''), updated_by = %(user)s
where hotel_id = %(hotel)s and id = %(id)s

-- name: confirm_nights
update reservation_details d
set plans_global_id = n.global_plan, plans_hotel_id = n.hotel_plan, plan_name = n.plan_name, plan_type = n.plan_type,
    number_of_people = n.people, price = n.price, billable = true, updated_by = %(user)s
from ({asked}) n
where d.hotel_id = %(hotel)s and d.id = n.id

-- name: delete
delete from reservations where hotel_id = %(hotel)s and id = %(id)s
